import { expect, it } from 'vitest';
import { setFairTimer } from '../../../src/time/fair-timer.js';
import { pausedClock } from '../../support/paused-clock.js';

it.each([
  ['in time', 100, 0],
  ['a little late', 150, 0],
  ['late', 160, 60],
  ['very late', 7_200_000, 1_000],
])('a timer of 100 ms that comes %s, at %i ms, runs %i ms later', (_, at, extraMs) => {
  const { clock, timers, runDue } = pausedClock();
  const ran: number[] = [];
  setFairTimer(clock, () => ran.push(clock.monotonic()), 100);
  runDue(at);
  expect(ran).toEqual(extraMs === 0 ? [at] : []);
  runDue(at + extraMs - 1);
  expect(ran).toEqual(extraMs === 0 ? [at] : []);
  runDue(at + extraMs);
  expect([ran, timers.size]).toEqual([[at + extraMs], 0]);
});

it('a timer that is late twice runs all the same', () => {
  const { clock, runDue } = pausedClock();
  const ran: number[] = [];
  setFairTimer(clock, () => ran.push(clock.monotonic()), 100);
  runDue(5_000);
  runDue(20_000);
  expect(ran).toEqual([20_000]);
});

it('a timer can be cancelled before it is due, and while it waits again', () => {
  const { clock, timers, runDue } = pausedClock();
  const ran: string[] = [];
  setFairTimer(clock, () => ran.push('early'), 100)();
  const cancel = setFairTimer(clock, () => ran.push('late'), 100);
  runDue(5_000);
  cancel();
  runDue(10_000);
  expect([ran, timers.size]).toEqual([[], 0]);
});
