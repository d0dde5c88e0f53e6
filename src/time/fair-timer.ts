import type { Clock } from '../contracts/clock.js';

/** A timer that is so late tells that the process was asleep, or too busy to read what had come. */
const lateMs = 50;
/** Within this time what has come meanwhile is read, and what could not leave is answered. */
const maxExtraMs = 1_000;

/** How much longer to wait where a timer was late by `lostMs`: what has come meanwhile is not read yet. */
export function extraMsOf(lostMs: number): number {
  return lostMs <= lateMs ? 0 : Math.min(lostMs, maxExtraMs);
}

/**
 * Runs `fn` after `ms` milliseconds in which an answer could be heard: timers come before input, and after a pause of the process they
 * would tell of silence while the answer lies there unread. Where the timer is late, it waits once more for as long as it was, at most a
 * second.
 *
 * @returns what cancels it.
 */
export function setFairTimer(clock: Clock, fn: () => void, ms: number): () => void {
  const dueAt = clock.monotonic() + ms;
  let cancel = clock.setTimer(() => {
    const extraMs = extraMsOf(clock.monotonic() - dueAt);
    if (extraMs === 0) fn();
    else cancel = clock.setTimer(fn, extraMs);
  }, ms);
  return () => cancel();
}
