import type { Clock } from '../contracts/clock.js';

/** How long to wait before a mark is sent, doubled with each failure. */
const firstDelayMs = 100;
const maxDelayMs = 5_000;
/** After that it is left to the next message, some eight minutes later: whoever is away for so long may have been closed. */
const maxAttempts = 100;

/** Sends, after something could not be sent, a mark by which the others see that it is missing: again and again until it has gone out. */
export class LossMark {
  readonly #clock: Clock;
  readonly #send: () => Promise<void>;
  readonly #isNeeded: () => boolean;
  #isWaiting = false;

  /** @param isNeeded whether it still has to be sent: a later message may have done its work, or nothing can be sent any more. */
  constructor(clock: Clock, isNeeded: () => boolean, send: () => Promise<void>) {
    this.#clock = clock;
    this.#isNeeded = isNeeded;
    this.#send = send;
  }

  /** Something could not be sent. */
  needed(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#wait(firstDelayMs, 1);
  }

  #wait(delayMs: number, attempts: number): void {
    const attempt = async (): Promise<void> => {
      try {
        if (this.#isNeeded()) await this.#send();
      } catch {
        // it is still needed, then
      }
      if (this.#isNeeded() && attempts < maxAttempts) this.#wait(Math.min(2 * delayMs, maxDelayMs), attempts + 1);
      else this.#isWaiting = false;
    };
    this.#clock.setTimer(() => void attempt(), delayMs);
  }
}
