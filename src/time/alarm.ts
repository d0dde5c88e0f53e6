import type { Clock } from '../contracts/clock.js';

/** One timer for many moments: it rings at the earliest of those that it was set for, and then knows of none. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #at = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** It rings at `at` on the monotonic clock, if it does not earlier; never where that is infinite. */
  setFor(at: number): void {
    if (at >= this.#at) return;
    this.clear();
    this.#at = at;
    const ring = (): void => {
      this.clear();
      this.#ring();
    };
    this.#cancel = this.#clock.setTimer(ring, Math.max(0, at - this.#clock.monotonic()));
  }

  clear(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#at = Number.POSITIVE_INFINITY;
  }
}
