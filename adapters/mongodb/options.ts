import { aFlag, anObject, type Rule } from '../../src/checked-options.js';
import type { TimedOptions } from '../../src/time/timed-options.js';

/** Options that the repositories and the store on MongoDB share. */
export interface MongoOptions extends TimedOptions {}

/** Something with options of its own, which can also be on with its defaults, or off. */
export const aFlagOrOptions: Rule = {
  must: 'true, false or an object',
  accepts: (value) => aFlag.accepts(value) || anObject.accepts(value),
};

/** Long integers are read as numbers, whatever the client or the database was told. */
export const plainNumbers = { promoteLongs: true, useBigInt64: false } as const;

/** Written to a majority of the nodes: what only a minority has may be forgotten again. */
export const byMajority = { writeConcern: { w: 'majority' } } as const;
