import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Transport } from '../channel/transport.js';
import { socketOf } from '../handshake.js';

/** Stands in for the raw socket of a request that has none. Nothing passes through it, and no beat takes it for a line that is silent. */
function noSocket(): Socket {
  return Object.assign(new Duplex(), { bytesRead: -1 }) as Socket;
}

/** A connection whose handshake was answered before we saw it: every refusal is a close code. */
export class AcceptedTransport implements Transport {
  readonly via = 'accept';
  readonly refusesBy = 'close';
  readonly isOverfull = false;
  readonly raw: Socket;
  readonly socket: WebSocket;

  constructor(socket: WebSocket, request: IncomingMessage) {
    this.socket = socket;
    const raw: Partial<Socket> | undefined = socketOf(request);
    this.raw = raw?.cork === undefined ? noSocket() : request.socket; // what somebody has made up may be no stream
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
