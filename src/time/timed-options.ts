import { aClock, anInteger, type Rules } from '../checked-options.js';
import type { Clock } from '../contracts/clock.js';
import { maxTimerMs } from './system-clock.js';

/** Options of what asks another system. */
export interface TimedOptions {
  /**
   * After how many milliseconds an operation is given up, whatever state the connection is in; an integer of at least 1, below the
   * server's `connectTimeoutMs`.
   *
   * @default 3,000
   */
  readonly timeoutMs?: number | undefined;
  /** Tells the time and runs the timers. @default the machine's clock */
  readonly clock?: Clock | undefined;
}

/** What they must be. */
export const timedRules: Rules<TimedOptions> = {
  timeoutMs: anInteger(1, maxTimerMs),
  clock: aClock,
};

export const defaultTimeoutMs = 3_000;
