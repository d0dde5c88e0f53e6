import type { Clock } from '../contracts/clock.js';

/**
 * Connect handlers that are still at work though their channels have ended. A shutdown waits for them. Nothing is held of them, and those
 * that outlast the deadline of connect are forgotten, without a timer: a handler that hangs must not keep anything of a client that has
 * left.
 */
export class LingeringConnects {
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  /** When their channels ended, earliest first. */
  readonly #since = new Map<object, number>();

  constructor(clock: Clock, deadlineMs: number) {
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
  }

  get size(): number {
    return this.#since.size;
  }

  /** @returns what stands for it in {@link delete}. */
  add(): object {
    this.forgetOld();
    const entry = {};
    this.#since.set(entry, this.#clock.monotonic());
    return entry;
  }

  delete(entry: object): void {
    this.#since.delete(entry);
  }

  /** Forgets those that took too long. */
  forgetOld(): void {
    const before = this.#clock.monotonic() - this.#deadlineMs;
    for (const [entry, since] of this.#since) {
      if (since > before) return;
      this.#since.delete(entry);
    }
  }
}
