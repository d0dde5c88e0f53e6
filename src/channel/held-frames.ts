import type { MessageData } from '../check-data.js';
import { copyOf } from './frame-format.js';
import { isPastBurst, lengthOf } from './outbox.js';

/** What a channel is sent before its handshake is answered: as much as may be left unsent afterwards, beside one message of any length. */
export class HeldFrames {
  readonly #maxBufferedBytes: number;
  readonly #frames: MessageData[] = [];
  #bytes = 0;
  /** Bytes of the longest message. */
  #longest = 0;

  constructor(maxBufferedBytes: number) {
    this.#maxBufferedBytes = maxBufferedBytes;
  }

  /** `false` where that is too much. */
  hold(data: MessageData): boolean {
    const length = lengthOf(data);
    this.#bytes += length;
    this.#longest = Math.max(this.#longest, length);
    if (isPastBurst(this.#bytes, this.#maxBufferedBytes, this.#longest)) return false;
    this.#frames.push(typeof data === 'string' ? data : copyOf(data));
    return true;
  }

  get all(): readonly MessageData[] {
    return this.#frames;
  }
}
