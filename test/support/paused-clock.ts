import type { Clock } from '../../entries/index.js';

/** A clock whose timers run when a test says so, late if it likes, as those of a process do that was asleep or busy. */
export function pausedClock() {
  let time = 0;
  const timers = new Map<() => void, number>();
  const clock: Clock = {
    now: () => time,
    monotonic: () => time,
    setTimer(fn, ms) {
      timers.set(fn, time + ms);
      return () => void timers.delete(fn);
    },
  };
  const runDue = (at: number): void => {
    time = at;
    for (const [fn, due] of timers) {
      if (due > at) continue;
      timers.delete(fn);
      fn();
    }
  };
  return { clock, timers, runDue };
}
