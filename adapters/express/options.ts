import { having, type Rules } from '../../src/checked-options.js';
import type { Clock } from '../../src/contracts/clock.js';
import { timedRules } from '../../src/time/timed-options.js';

/** Options that the reader and the store of `ws-with/express` share. */
export interface ExpressOptions {
  /**
   * After how many milliseconds a chain of middleware, or one call of the store, is given up; an integer of at least 1, below the server's
   * `connectTimeoutMs`.
   *
   * @default 3,000
   */
  readonly timeoutMs?: number | undefined;
  /** Runs the timer of `timeoutMs`. When sessions expire is for their store to say, by the machine's clock. @default the machine's clock */
  readonly clock?: Clock | undefined;
}

/** What the options that they share must be. */
export const expressRules: Rules<ExpressOptions> = {
  ...timedRules,
  clock: having('a Clock', 'monotonic', 'setTimer'),
};
