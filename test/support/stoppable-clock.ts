import type { Clock } from '../../entries/index.js';
import type { TestClock } from '../../entries/testing.js';

/** The clock of a process that can be stopped: time goes on, and its timers run when it does. */
export class StoppableClock implements Clock {
  readonly #clock: TestClock;
  readonly #held: (() => void)[] = [];
  isStopped = false;

  constructor(clock: TestClock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  setTimer(fn: () => void, ms: number): () => void {
    return this.#clock.setTimer(() => (this.isStopped ? this.#held.push(fn) : fn()), ms);
  }

  resume(): void {
    this.isStopped = false;
    for (const fn of this.#held.splice(0)) fn();
  }
}
