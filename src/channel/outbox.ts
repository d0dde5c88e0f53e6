import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';

/** After this many bytes within one tick, what is corked goes out. */
const corkBytes = 65_536;
/** How many times the bound one tick may add, on top of what earlier ticks left. */
const tickFactor = 8;

/** Outboxes that are corked in this tick. One `nextTick` uncorks them all. */
let corked: Outbox[] = [];

function uncorkAll(): void {
  const list = corked;
  corked = [];
  for (const outbox of list) outbox.uncork();
}

/**
 * The way out of one channel. Frames sent within one tick leave in one write: the raw socket is corked at the first of them and uncorked
 * at the end of the tick. A peer that does not read what it is sent is noticed here.
 */
export class Outbox {
  readonly #socket: WebSocket;
  readonly #raw: Socket;
  readonly #maxBufferedBytes: number;
  #corkedBytes = -1; // below zero: not corked

  constructor(socket: WebSocket, raw: Socket, maxBufferedBytes: number) {
    this.#socket = socket;
    this.#raw = raw;
    this.#maxBufferedBytes = maxBufferedBytes;
  }

  /** Hands `data` to the socket; `false` where its peer is too slow to be sent anything more. */
  send(data: string | Uint8Array | ArrayBuffer, bytes: number): boolean {
    if (this.#corkedBytes < 0) {
      if (this.#socket.bufferedAmount > this.#maxBufferedBytes) return false;
      this.#cork();
    }
    this.#socket.send(data); // strings as text, all else as binary
    this.#corkedBytes += bytes;
    if (this.#corkedBytes < corkBytes) return true;
    this.#raw.uncork();
    this.#corkedBytes = 0;
    this.#raw.cork();
    return this.#socket.bufferedAmount <= tickFactor * this.#maxBufferedBytes;
  }

  #cork(): void {
    this.#raw.cork();
    this.#corkedBytes = 0;
    if (corked.push(this) === 1) process.nextTick(uncorkAll);
  }

  /** Lets out what is corked. Needed before a close or terminate: corked frames and the close code would be lost with it. */
  uncork(): void {
    if (this.#corkedBytes < 0) return;
    this.#corkedBytes = -1;
    this.#raw.uncork();
  }
}
