import { aClock, anInteger, type Rules } from '../../src/checked-options.js';
import type { Clock } from '../../src/contracts/clock.js';
import { maxTimerMs } from '../../src/system-clock.js';

/** Options that the repositories and the store on MongoDB share. */
export interface MongoOptions {
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

/** Long integers are read as numbers, whatever the client or the database was told. */
export const plainNumbers = { promoteLongs: true, useBigInt64: false } as const;

/** Written to a majority of the nodes: what only a minority has may be forgotten again. */
export const byMajority = { writeConcern: { w: 'majority' } } as const;

/** What the options that they share must be. */
export const mongoRules: Rules<MongoOptions> = {
  timeoutMs: anInteger(1, maxTimerMs),
  clock: aClock,
};
