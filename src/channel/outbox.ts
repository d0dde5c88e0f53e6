import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { currentTurn, wholeTurn } from './turn.js';

/** After this many bytes within one tick, what is corked goes out. Of what ws compresses, more than this waiting is too much. */
const corkBytes = 65_536;
/** How many times the bound may be left unsent in all, however short the time. */
const burstFactor = 8;

/** What is held back while a channel's output is clogged. */
export interface Input {
  hold(): void;
  release(): void;
}

/** Outboxes that are corked in this tick. One `nextTick` uncorks them all. */
let corked: Outbox[] = [];

function uncorkAll(): void {
  const list = corked;
  corked = [];
  for (const outbox of list) outbox.flush();
}

/** Bytes of our own: the caller may change its own as soon as `send` has returned. */
export function copyOf(data: Uint8Array | ArrayBuffer): Buffer {
  return Buffer.from(ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data));
}

/**
 * The way out of one channel. Frames sent within one tick leave in one write: the raw socket is corked at the first of them and uncorked
 * at the end of the tick. While what has left waits for the peer, no message of it is handled; a peer that does not read what it is sent
 * is noticed here.
 */
export class Outbox {
  readonly #socket: WebSocket;
  readonly #raw: Socket;
  readonly #input: Input;
  readonly #maxBufferedBytes: number;
  #corkedBytes = -1; // below zero: not corked
  #isClogged = false;
  /** Since which turn more than the bound is left unsent; below zero where it is not. */
  #slowSince = -1;
  /** Told when ws has let go of a frame that it compresses. */
  readonly #onSent: (() => void) | undefined;

  constructor(socket: WebSocket, raw: Socket, input: Input, maxBufferedBytes: number) {
    this.#socket = socket;
    this.#raw = raw;
    this.#input = input;
    this.#maxBufferedBytes = maxBufferedBytes;
    this.#onSent = socket.extensions ? () => this.#judgeClog() : undefined;
  }

  /** Hands `data` to the socket; `false` where its peer is too slow to be sent anything more. */
  send(data: string | Uint8Array | ArrayBuffer): boolean {
    if (this.#corkedBytes < 0) {
      if (this.#isSlow()) return false;
      this.#cork();
    }
    this.#socket.send(typeof data === 'string' ? data : copyOf(data), this.#onSent); // strings as text, all else as binary
    this.#corkedBytes += typeof data === 'string' ? data.length : data.byteLength;
    if (this.#corkedBytes < corkBytes) return true;
    this.#raw.uncork();
    this.#corkedBytes = 0;
    this.#judgeClog();
    this.#raw.cork();
    return this.#socket.bufferedAmount <= burstFactor * this.#maxBufferedBytes;
  }

  #cork(): void {
    this.#raw.cork();
    this.#corkedBytes = 0;
    if (corked.push(this) === 1) process.nextTick(uncorkAll);
  }

  /** Lets out what is corked. Needed before a close or terminate: corked frames and the close code would be lost with it. */
  flush(): void {
    if (this.#corkedBytes < 0) return;
    this.#corkedBytes = -1;
    this.#raw.uncork();
    this.#judgeClog();
    this.#isSlow(); // remembers since when
  }

  /**
   * Whether more than the bound is left unsent since an earlier turn of the event loop: within one, the peer had no chance to read it.
   */
  #isSlow(): boolean {
    const left = this.#socket.bufferedAmount;
    if (left <= this.#maxBufferedBytes) {
      this.#slowSince = -1;
      return false;
    }
    const turn = currentTurn();
    if (this.#slowSince < 0) this.#slowSince = turn;
    return turn - this.#slowSince >= wholeTurn || left > burstFactor * this.#maxBufferedBytes;
  }

  /** Holds the input while the system takes no more output, or ws is still compressing. */
  #judgeClog(): void {
    const unsent = this.#raw.writableLength;
    const isFull = unsent > 0 && this.#raw.writableNeedDrain;
    if (isFull || (this.#onSent !== undefined && this.#socket.bufferedAmount - unsent > corkBytes)) {
      if (this.#isClogged) return;
      this.#isClogged = true;
      if (isFull) this.#raw.once('drain', () => this.#judgeClog());
      this.#input.hold();
    } else if (this.#isClogged) {
      this.#isClogged = false;
      this.#input.release();
    }
  }
}
