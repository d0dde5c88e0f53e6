import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Whether the raw socket of an upgrade still waits for an answer. All `upgrade` listeners of an HTTP server are given the same socket, and
 * nobody says who answers: what counts is what has happened on it since the claim was made.
 */
export class SocketClaim {
  readonly socket: Duplex;
  readonly #request: IncomingMessage;
  readonly #written: number | undefined;
  readonly #response: unknown;
  readonly #readers: number;
  readonly #listeners: number;

  constructor(request: IncomingMessage, socket: Duplex) {
    this.socket = socket;
    this.#request = request;
    this.#written = this.#bytesWritten;
    this.#response = responseOn(socket);
    this.#readers = readersOf(socket);
    this.#listeners = listenersOf(socket);
  }

  /** Somebody has ended it, or its peer is gone. */
  get isEnded(): boolean {
    return this.socket.destroyed || this.socket.writableEnded;
  }

  /** Somebody has begun to answer. */
  get isBegun(): boolean {
    return this.#bytesWritten !== this.#written || responseOn(this.socket) !== this.#response;
  }

  /** Nothing may be written to it any more. */
  get isAnswered(): boolean {
    return this.isEnded || this.isBegun;
  }

  /** It is answered, or somebody reads it and so has taken it over. */
  get isTaken(): boolean {
    return this.isAnswered || readersOf(this.socket) > this.#readers;
  }

  /** It is taken, or somebody listens to it at all and so may still answer. */
  get isTouched(): boolean {
    return this.isTaken || listenersOf(this.socket) !== this.#listeners;
  }

  get #bytesWritten(): number | undefined {
    // a stream that stands in for the socket counts nothing, and writes to the socket
    return bytesWrittenOn(this.socket) ?? bytesWrittenOn(this.#request.socket);
  }
}

function bytesWrittenOn(socket: object | undefined): number | undefined {
  const written: unknown = socket && Reflect.get(socket, 'bytesWritten');
  return typeof written === 'number' ? written : undefined;
}

/** The `ServerResponse` that was assigned to `socket`: Node keeps it there, and has no public sign of it. */
function responseOn(socket: Duplex): unknown {
  return Reflect.get(socket, '_httpMessage') ?? undefined;
}

function readersOf(socket: Duplex): number {
  return socket.listenerCount('data') + socket.listenerCount('readable');
}

function listenersOf(socket: Duplex): number {
  return socket.eventNames().reduce((sum, name) => sum + socket.listenerCount(name), 0);
}
