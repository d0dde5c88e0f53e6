import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Collects what nothing holds any more once this turn is over. What was held by a promise may take more than one. */
export async function collectGarbage(): Promise<void> {
  await nextTurn();
  collect();
}
