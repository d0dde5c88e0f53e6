import 'reflect-metadata';
import type { IncomingMessage } from 'node:http';
import { Module, type OnModuleDestroy } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import { type OnGatewayConnection, WebSocketGateway } from '@nestjs/websockets';
import type { WebSocket } from 'ws';
import { ChannelServer, withAuthenticatedUser, withChannelUser, withUserFromToken } from 'ws-with';
import { tokens } from './tokens.js';

@WebSocketGateway({ path: '/chat' })
class ChatGateway implements OnGatewayConnection, OnModuleDestroy {
  // #region ws-with
  readonly #channels = new ChannelServer({
    connect: withUserFromToken({ tokens })(withAuthenticatedUser((message) => message.channel.sendJson({ hello: message.user.id }))),
    receive: withChannelUser((message) => message.channel.sendJson({ from: message.user.id, text: message.text })),
  });

  handleConnection(socket: WebSocket, request: IncomingMessage): void {
    this.#channels.accept(socket, request);
  }

  onModuleDestroy(): Promise<void> {
    return this.#channels.close();
  }
  // #endregion
}

@Module({ providers: [ChatGateway] })
class AppModule {}

export const app = await NestFactory.create(AppModule, { logger: false });
app.useWebSocketAdapter(new WsAdapter(app));
