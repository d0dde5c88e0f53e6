import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { MessageData } from '../check-data.js';
import { copyOf, headerBytes } from './frame-format.js';
import { FrameWriter } from './frame-writer.js';
import { letOutLater, loneMessage, reachedMember, type Sender } from './let-out.js';
import { type Ahead, isPlain, keepOrder, sendAsBefore } from './ordered-socket.js';
import type { SharedFrame } from './shared-frame.js';
import { currentTurn, wholeTurn } from './turn.js';

/** After this many bytes within one tick, what is there goes out. Of what ws compresses, more than this waiting is too much. */
const flushBytes = 65_536;
/** How many times the bound may be left unsent in all, however short the time, beside one message: that one always fits. */
const burstFactor = 8;

/** Whether `left` bytes unsent are too many, however short the time: `longest` is how many the longest message has. */
export function isPastBurst(left: number, maxBufferedBytes: number, longest: number): boolean {
  return left > burstFactor * maxBufferedBytes + longest;
}

/** Whose input is held back while its output is clogged. */
export interface InputOwner {
  /** Nothing more is handled or read, or all goes on. */
  holdInput(isHeld: boolean): void;
}

/** In bytes. */
export function lengthOf(data: MessageData): number {
  return typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
}

/**
 * The way out of one channel. Frames sent within one tick leave in one write. While what has left waits for the peer, no message of it is
 * handled; a peer that does not read what it is sent is noticed here.
 *
 * In the first tick every frame goes through ws, with the raw socket corked. Where that shows that ws writes plain frames to it, later ones
 * are written here, beside ws, and only long ones go through it.
 */
export class Outbox implements Ahead, Sender {
  readonly #socket: WebSocket;
  readonly #raw: Socket;
  readonly #owner: InputOwner;
  readonly #maxBufferedBytes: number;
  #isUsed = false;
  isListed = false;
  next: Sender | undefined;
  /** The last lone message whose handler has sent it something that all members of a group get. */
  #sharedIn = 0;
  #isCorked = false;
  #corkedBytes = 0;
  /** Where frames are written beside ws. */
  #frames: FrameWriter | undefined;
  /** Whether it is still to be seen if they may be. */
  #isUndecided: boolean;
  /** Whether the application has sent something by itself, which ws may not have written yet, and whether more fragments of it follow. */
  #isBeside = false;
  #isFragmented = false;
  #isClogged = false;
  #awaitsDrain = false;
  /** How many frames that ws compresses it has not let go of. */
  #compressing = 0;
  /** Bytes of the longest message since less than the bound was left. */
  #longest = 0;
  /** Since which turn more than the bound is left unsent; below zero where it is not. */
  #slowSince = -1;
  /** Told when ws has let go of a frame that it compresses. */
  readonly #onSent: (() => void) | undefined;

  constructor(socket: WebSocket, raw: Socket, owner: InputOwner, maxBufferedBytes: number) {
    this.#socket = socket;
    this.#raw = raw;
    this.#owner = owner;
    this.#maxBufferedBytes = maxBufferedBytes;
    this.#isUndecided = isPlain(socket, raw);
    keepOrder(socket, this);
    this.#onSent = socket.extensions ? () => this.#compressed() : undefined;
  }

  /**
   * Sends `data`, strings as text and all else as binary; `false` where the peer is too slow to be sent anything more.
   *
   * @param frame `data` as it is sent to several channels.
   */
  send(data: MessageData, frame?: SharedFrame): boolean {
    if (!this.#isUsed) {
      if (this.#isSlow()) return false;
      this.#isUsed = true;
      if (frame !== undefined && loneMessage() > 0 && this.#sharedIn !== loneMessage()) return this.#sendAtOnce(data, frame);
      letOutLater(this);
    }
    return this.#put(data, frame);
  }

  /**
   * The first message to a group leaves at once: to come back to each of thousands of members costs more than most have to wait for.
   * Where many speak in the same turn, it is that of the first who does.
   */
  #sendAtOnce(data: MessageData, frame: SharedFrame): boolean {
    this.#sharedIn = loneMessage();
    reachedMember();
    const isTaken = this.#put(data, frame);
    this.flush();
    return isTaken;
  }

  #put(data: MessageData, frame: SharedFrame | undefined): boolean {
    const frames = this.#frames;
    if (frames === undefined || this.#isCorked) {
      this.#sendCorked(data);
      if (this.#corkedBytes < flushBytes) return true;
      this.#uncork();
    } else if (this.#isBeside && !this.#isBesideWritten()) sendAsBefore(this.#socket, typeof data === 'string' ? data : copyOf(data));
    else if (frames.write(data, frame)) {
      if (frames.length < flushBytes) return true;
      frames.flush();
    } else {
      frames.flush();
      if (frame?.bytes !== undefined) this.#raw.write(frame.bytes);
      else sendAsBefore(this.#socket, typeof data === 'string' ? data : copyOf(data));
    }
    this.#holdIfClogged();
    this.#longest = Math.max(this.#longest, lengthOf(data));
    return !isPastBurst(this.#socket.bufferedAmount, this.#maxBufferedBytes, this.#longest);
  }

  #sendCorked(data: MessageData): void {
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#raw.cork();
    }
    const own = typeof data === 'string' ? data : copyOf(data);
    const before = this.#raw.writableLength;
    if (this.#onSent !== undefined) this.#compressing += 1;
    sendAsBefore(this.#socket, own, this.#onSent);
    const length = lengthOf(own);
    this.#corkedBytes += length;
    if (!this.#isUndecided) return;
    this.#isUndecided = false;
    if (this.#raw.writableLength - before !== headerBytes(length) + own.length) return; // Node counts text in characters
    this.#frames = new FrameWriter(this.#raw);
  }

  #uncork(): void {
    this.#isCorked = false;
    this.#corkedBytes = 0;
    this.#raw.uncork();
  }

  /** Lets out what was sent. Needed before a close or terminate: frames and the close code would be lost with it. */
  flush(): void {
    if (!this.#isUsed) return;
    this.#isUsed = false;
    if (this.#isCorked) this.#uncork();
    else this.#frames?.flush();
    if (this.#socket.bufferedAmount === 0) return;
    this.#holdIfClogged();
    this.#isSlow(); // remembers since when
  }

  sentBeside(isFinal: boolean): void {
    this.#isBeside = true;
    this.#isFragmented = !isFinal;
  }

  /** Whether ws has written what the application has sent by itself: it may wait for the bytes of a Blob. */
  #isBesideWritten(): boolean {
    this.#isBeside = this.#isFragmented || this.#socket.bufferedAmount > this.#raw.writableLength;
    return !this.#isBeside;
  }

  /**
   * Whether more than the bound is left unsent since an earlier turn of the event loop: within one, the peer had no chance to read it.
   */
  #isSlow(): boolean {
    const left = this.#socket.bufferedAmount;
    if (left <= this.#maxBufferedBytes) {
      this.#slowSince = -1;
      this.#longest = 0;
      return false;
    }
    const turn = currentTurn();
    if (this.#slowSince < 0) this.#slowSince = turn;
    return turn - this.#slowSince >= wholeTurn || isPastBurst(left, this.#maxBufferedBytes, this.#longest);
  }

  /** Holds the input while the system takes no more output, or ws is still compressing. */
  #holdIfClogged(): void {
    if (this.#isClogged || !(this.#isRawFull() || this.#isWsBusy())) return;
    this.#isClogged = true;
    this.#awaitDrain();
    this.#owner.holdInput(true);
  }

  #compressed(): void {
    this.#compressing -= 1;
    this.#releaseIfFree();
  }

  #releaseIfFree(): void {
    if (!this.#isClogged) return;
    this.#awaitDrain(); // the application may have filled it meanwhile
    if (this.#isRawFull() || this.#isWsBusy()) return;
    this.#isClogged = false;
    this.#owner.holdInput(false);
  }

  #awaitDrain(): void {
    if (this.#awaitsDrain || !this.#isRawFull()) return;
    this.#awaitsDrain = true;
    this.#raw.once('drain', () => {
      this.#awaitsDrain = false;
      this.#releaseIfFree();
    });
  }

  #isRawFull(): boolean {
    return this.#raw.writableLength > 0 && this.#raw.writableNeedDrain;
  }

  /** With frames of this channel: of those that the application sends by itself nobody tells when they have left. */
  #isWsBusy(): boolean {
    return this.#compressing > 0 && this.#socket.bufferedAmount - this.#raw.writableLength > flushBytes;
  }
}
