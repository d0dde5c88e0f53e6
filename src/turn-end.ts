import { nextTick, setImmediate } from './event-loop.js';

/** Who waits for the end of this turn of the event loop. */
export interface TurnWaiter {
  turnOver(): void;
}

let waiters: TurnWaiter[] = [];

function turnOver(): void {
  const those = waiters;
  waiters = [];
  for (const waiter of those) tell(waiter);
}

/** Where one throws, the others are told all the same. */
function tell(waiter: TurnWaiter): void {
  try {
    waiter.turnOver();
  } catch (error) {
    nextTick(() => {
      throw error;
    });
  }
}

/** Tells `waiter` when this turn of the event loop ends, with all of its promises. One immediate serves all that wait. */
export function awaitTurnEnd(waiter: TurnWaiter): void {
  if (waiters.push(waiter) === 1) setImmediate(turnOver);
}

/** Whether anybody waits for the end of this turn. */
export function isTurnEndAwaited(): boolean {
  return waiters.length > 0;
}
