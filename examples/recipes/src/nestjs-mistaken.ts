import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { type HasUser, type ReceiveMessage, withUserFromToken } from 'ws-with';
import { tokens } from './tokens.js';

@WebSocketGateway({ path: '/chat' })
class MistakenGateway {
  @withUserFromToken({ tokens }) // puts its own function in the place of the one that NestJS has marked: nobody calls it
  @SubscribeMessage('above')
  above(message: ReceiveMessage & HasUser) {
    return { event: 'above', data: message.user.id };
  }

  @SubscribeMessage('below')
  @withUserFromToken({ tokens }) // is called with what NestJS has, a socket and data, and knows no channel of those
  below(message: ReceiveMessage & HasUser) {
    return { event: 'below', data: message.user.id };
  }

  @SubscribeMessage('plain')
  plain() {
    return { event: 'plain', data: 'heard' };
  }
}

@Module({ providers: [MistakenGateway] })
class AppModule {}

export const app = await NestFactory.create(AppModule, { logger: false });
app.useWebSocketAdapter(new WsAdapter(app));
