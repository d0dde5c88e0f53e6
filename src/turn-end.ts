import { setImmediate } from './event-loop.js';

/** Who waits for the end of this turn of the event loop. */
export interface TurnWaiter {
  /** The turn is over. Must not throw: others are told after it. */
  turnOver(): void;
}

let waiters: TurnWaiter[] = [];

function turnOver(): void {
  const those = waiters;
  waiters = [];
  for (const waiter of those) waiter.turnOver();
}

/** Tells `waiter` when this turn of the event loop ends, with all of its promises. One immediate serves all that wait. */
export function awaitTurnEnd(waiter: TurnWaiter): void {
  if (waiters.push(waiter) === 1) setImmediate(turnOver);
}

/** Whether anybody waits for the end of this turn. */
export function isTurnEndAwaited(): boolean {
  return waiters.length > 0;
}
