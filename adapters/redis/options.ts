import { aClock, anInteger, aString, type Rules } from '../../src/checked-options.js';
import type { Clock } from '../../src/contracts/clock.js';
import { maxTimerMs } from '../../src/system-clock.js';

/** Options that everything on Redis shares. */
export interface RedisOptions {
  /** How the names of all keys and channels begin. Applications with the same prefix share sessions, tickets and messages. @default 'ws-with:' */
  readonly prefix?: string | undefined;
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

/** What the options that they share must be. */
export const redisRules: Rules<RedisOptions> = {
  prefix: aString,
  timeoutMs: anInteger(1, maxTimerMs),
  clock: aClock,
};

export const defaultPrefix = 'ws-with:';
