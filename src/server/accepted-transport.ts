import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Transport } from '../channel/transport.js';

/** A connection whose handshake was answered before we saw it: every refusal is a close code. */
export class AcceptedTransport implements Transport {
  readonly via = 'accept';
  readonly refusesBy = 'close';
  readonly isOverfull = false;
  readonly raw: Socket;
  readonly socket: WebSocket;

  constructor(socket: WebSocket, request: IncomingMessage) {
    this.socket = socket;
    this.raw = request.socket;
  }

  watch(): void {} // its channel listens to the socket

  answer(): boolean {
    return true;
  }

  refuse(): void {
    this.socket.terminate();
  }

  destroy(): void {
    this.socket.terminate();
  }
}
