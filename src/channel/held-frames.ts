import type { MessageData } from '../check-data.js';
import { burstFactor, copyOf, lengthOf } from './outbox.js';

/** What a channel is sent before its handshake is answered: as much as may be left unsent afterwards, and one message in any case. */
export class HeldFrames {
  readonly #maxBytes: number;
  readonly #frames: MessageData[] = [];
  #bytes = 0;

  constructor(maxBufferedBytes: number) {
    this.#maxBytes = burstFactor * maxBufferedBytes;
  }

  /** `false` where that is too much. */
  hold(data: MessageData): boolean {
    this.#bytes += lengthOf(data);
    if (this.#bytes > this.#maxBytes && this.#frames.length > 0) return false;
    this.#frames.push(typeof data === 'string' ? data : copyOf(data));
    return true;
  }

  get all(): readonly MessageData[] {
    return this.#frames;
  }
}
