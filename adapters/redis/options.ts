import { aString, type Rules } from '../../src/checked-options.js';
import { type TimedOptions, timedRules } from '../../src/time/timed-options.js';

/** Options that everything on Redis shares. */
export interface RedisOptions extends TimedOptions {
  /**
   * How the names of all keys and channels begin. Applications with the same prefix share sessions, tickets and messages.
   *
   * @default 'ws-with:'
   */
  readonly prefix?: string | undefined;
}

/** What the options that they share must be. */
export const redisRules: Rules<RedisOptions> = { ...timedRules, prefix: aString };

export const defaultPrefix = 'ws-with:';
