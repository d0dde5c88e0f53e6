import { setImmediate } from '../event-loop.js';

let turn = 0;
/** How many turns are still counted; nothing is, unless somebody asks. */
let counted = 0;

function countTurn(): void {
  turn += 1;
  counted -= 1;
  if (counted > 0) setImmediate(countTurn);
}

/** Turns after which every socket has had its chance to be written to: the rest of this one, and the whole of the next. */
export const wholeTurn = 2;

/**
 * The number of this turn of the event loop, the same for all channels of the process. For telling whether {@link wholeTurn} has passed
 * since an earlier number: it is counted no further than that.
 */
export function currentTurn(): number {
  if (counted === 0) setImmediate(countTurn);
  counted = wholeTurn;
  return turn;
}
