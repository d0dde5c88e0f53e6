import { having, type Rule } from '../../src/checked-options.js';

/** What these adapters need of a clock. */
export const aWallClock: Rule = having('a clock', 'now');
