import { having, type Rule } from '../../src/checked-options.js';
import type { Clock } from '../../src/contracts/clock.js';

/** What these adapters need of a clock. */
export type WallClock = Pick<Clock, 'now'>;

export const aWallClock: Rule = having('a clock', 'now');
