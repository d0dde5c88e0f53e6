import type { Socket } from 'node:net';
import type { SocketClaim } from './socket-claim.js';

/** Told what happens on the raw socket while connect is pending. */
export interface PendingEvents {
  /** The client has gone away. */
  gone(): void;
  /** It has sent more than may wait. */
  overflowed(): void;
  /** Somebody else has answered the upgrade, or dropped its connection. */
  taken(): void;
}

/** What arrives on a raw socket before its upgrade is answered. */
export class EarlyInput {
  readonly #raw: Socket;
  readonly #claim: SocketClaim;
  readonly #maxBytes: number;
  readonly #chunks: Buffer[];
  #bytes: number;
  #events: PendingEvents | undefined;

  constructor(raw: Socket, claim: SocketClaim, head: Buffer, maxBytes: number) {
    this.#raw = raw;
    this.#claim = claim;
    this.#maxBytes = maxBytes;
    this.#chunks = head.length > 0 ? [head] : [];
    this.#bytes = head.length;
  }

  watch(events: PendingEvents): void {
    this.#events = events;
    this.#raw.on('data', this.#onData);
    this.#raw.on('end', this.#onEnd);
    this.#raw.on('finish', this.#onFinish);
    this.#raw.on('close', this.#onClose);
    if (this.#raw.destroyed || this.#raw.readableEnded) this.#drop();
    else this.#judge();
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#claim.isAnswered) {
      this.#leave();
      return;
    }
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.#judge();
  };

  readonly #onEnd = (): void => {
    if (this.#claim.isAnswered) this.#leave();
    else this.#drop();
  };

  /** Not by us, who listen no more then. */
  readonly #onFinish = (): void => this.#leave();

  readonly #onClose = (hadError: boolean): void => {
    // a client that leaves ends its side first, or resets the connection; whoever drops it in this process does neither
    const isOurDoing = this.#claim.isBegun || !(hadError || this.#raw.readableEnded);
    if (isOurDoing) this.#leave();
    else this.#drop();
  };

  /** The client is gone. */
  #drop(): void {
    const events = this.#events;
    this.#forget();
    events?.gone();
    this.#raw.destroy();
  }

  /** The connection is somebody else's. */
  #leave(): void {
    const events = this.#events;
    this.#forget();
    events?.taken();
  }

  #forget(): void {
    this.release();
    this.#chunks.length = 0; // a look-up that hangs may hold on to us
  }

  #judge(): void {
    if (this.#bytes > this.#maxBytes) this.#events?.overflowed();
    else if (this.#bytes > this.#maxBytes / 2) this.#raw.pause();
  }

  /** Listens no more, and gives what has arrived: in pieces as it came, so that reading can be paused between them. */
  release(): readonly Buffer[] {
    this.#events = undefined;
    this.#raw.off('data', this.#onData);
    this.#raw.off('end', this.#onEnd);
    this.#raw.off('finish', this.#onFinish);
    this.#raw.off('close', this.#onClose);
    return this.#chunks;
  }
}
