import type { Socket } from 'node:net';
import { readersOf, type SocketClaim } from './upgrade-routes.js';

/** Told what happens on a raw socket while its upgrade waits for an answer. */
export interface EarlyEvents {
  /** The client has gone away. */
  gone(): void;
  /** It has sent more than may wait. */
  overflowed(): void;
  /** Somebody else has answered the upgrade, or dropped its connection. */
  taken(): void;
}

/** Pieces are kept as they came, but for those that are together no larger than this. */
const smallBytes = 4_096;

/** What arrives on a raw socket before its upgrade is answered. */
export class EarlyInput {
  readonly #raw: Socket;
  readonly #claim: SocketClaim;
  readonly #maxBytes: number;
  /** What came with the handshake: whoever answers has it already. */
  readonly #head: Buffer;
  #events: EarlyEvents | undefined;
  #chunks: Buffer[];
  #bytes: number;
  /** Set once something has arrived, which few clients send before they have an answer: told who else begins to read. */
  #onListener: ((name: string | symbol) => void) | undefined;

  constructor(claim: SocketClaim, head: Buffer, maxBytes: number) {
    this.#raw = claim.socket as Socket;
    this.#claim = claim;
    this.#maxBytes = maxBytes;
    this.#head = head;
    this.#chunks = head.length > 0 ? [head] : [];
    this.#bytes = head.length;
  }

  /** Begins to read, unless the connection is gone already, or somebody else's. */
  watch(events: EarlyEvents): void {
    const raw = this.#raw;
    this.#events = events;
    if (raw.destroyed) this.#onClose();
    else if (raw.readableEnded) this.#onEnd();
    else if (this.#claim.isAnswered) this.#leave();
    else {
      raw.on('data', this.#onData);
      raw.on('end', this.#onEnd);
      raw.on('finish', this.#onFinish);
      raw.on('close', this.#onClose);
      this.#judge();
    }
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#claim.isAnswered) {
      this.#giveBack(chunk);
      return;
    }
    this.#onListener ??= this.#noticeReaders();
    this.#keep(chunk);
    this.#judge();
  };

  /** A client may send each byte by itself, and each piece would take its room, and its time to be put back. */
  #keep(chunk: Buffer): void {
    const last = this.#chunks.at(-1);
    const isSmall = last !== undefined && last !== this.#head && last.length + chunk.length <= smallBytes;
    if (isSmall) this.#chunks[this.#chunks.length - 1] = Buffer.concat([last, chunk]);
    else this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  #noticeReaders(): (name: string | symbol) => void {
    const onListener = (name: string | symbol): void => {
      if ((name === 'data' || name === 'readable') && this.#claim.isAnswered) this.#giveBack();
    };
    this.#raw.on('newListener', onListener);
    return onListener;
  }

  readonly #onEnd = (): void => {
    if (this.#claim.isAnswered) this.#leave();
    else this.#drop();
  };

  /** Not by us, who listen no more then. */
  readonly #onFinish = (): void => this.#leave();

  readonly #onClose = (): void => {
    if (this.#claim.hasPeerLeft) this.#drop();
    else this.#leave();
  };

  /** The client is gone. */
  #drop(): void {
    const events = this.#events;
    this.release();
    events?.gone();
    this.#raw.destroy();
  }

  /** The connection is somebody else's. */
  #leave(): void {
    const events = this.#events;
    this.release();
    events?.taken();
  }

  /** {@link #leave}, with what has arrived too early, unless they read by themselves: they have had `last` then. */
  #giveBack(last?: Buffer): void {
    const raw = this.#raw;
    const early = this.#chunks.filter((chunk) => chunk !== this.#head);
    // as ws does it: the head is put back, to be read with the rest
    if (Buffer.isBuffer(last) && last.equals(this.#head)) early.unshift(last);
    else if (last !== undefined) early.push(last);
    this.#leave();
    if (readersOf(raw) > 0) return;
    const stream: { readableFlowing: boolean | null } = raw;
    stream.readableFlowing = null; // it waits for its reader again, as Node handed it over
    for (const chunk of early.reverse()) raw.unshift(chunk);
  }

  #judge(): void {
    if (this.#bytes > this.#maxBytes) this.#events?.overflowed();
    else if (this.#bytes > this.#maxBytes / 2) this.#raw.pause();
  }

  /** Listens no more, and gives what has arrived: in pieces, so that reading can be paused between them. */
  release(): readonly Buffer[] {
    this.#events = undefined;
    if (this.#onListener !== undefined) this.#raw.off('newListener', this.#onListener);
    this.#raw.off('data', this.#onData);
    this.#raw.off('end', this.#onEnd);
    this.#raw.off('finish', this.#onFinish);
    this.#raw.off('close', this.#onClose);
    const chunks = this.#chunks;
    this.#chunks = []; // a look-up that hangs may hold on to us
    return chunks;
  }
}
