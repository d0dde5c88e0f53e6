import type { Clock } from '../../src/contracts/clock.js';
import { setFairTimer } from '../../src/time/fair-timer.js';
import { withoutCommand } from './without-command.js';

interface Waiting {
  readonly since: number;
  readonly reject: (error: Error) => void;
}

/**
 * Gives up what takes longer than `timeoutMs`. There is one timer for all, as there are many and none of them takes so long: a timer for
 * each costs as much as the message itself.
 */
export class Pending {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  /** In the order in which their time runs out. */
  readonly #waiting = new Set<Waiting>();
  #hasTimer = false;

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** What `operation` comes to, or a `TimeoutError`. */
  within(operation: Promise<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { since: this.#clock.monotonic(), reject };
      this.#waiting.add(waiting);
      if (!this.#hasTimer) this.#wait(this.#timeoutMs);
      operation.then(
        () => {
          this.#waiting.delete(waiting);
          resolve();
        },
        (error: unknown) => {
          this.#waiting.delete(waiting);
          reject(withoutCommand(error));
        },
      );
    });
  }

  #wait(ms: number): void {
    this.#hasTimer = true;
    setFairTimer(this.#clock, () => this.#giveUp(), ms);
  }

  #giveUp(): void {
    this.#hasTimer = false;
    const now = this.#clock.monotonic();
    for (const waiting of this.#waiting) {
      const left = waiting.since + this.#timeoutMs - now;
      if (left > 0) {
        this.#wait(left);
        return;
      }
      this.#waiting.delete(waiting);
      waiting.reject(new DOMException(`Redis did not publish a message within ${this.#timeoutMs} ms.`, 'TimeoutError'));
    }
  }
}
