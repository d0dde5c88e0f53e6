import { expect, it } from 'vitest';
import { TestClock } from '../../../entries/testing.js';
import { Alarm } from '../../../src/time/alarm.js';

it('rings once, at the earliest of the moments that it was set for, and can be set again then', async () => {
  const clock = new TestClock();
  const rings: number[] = [];
  const alarm = new Alarm(clock, () => {
    rings.push(clock.monotonic());
    if (rings.length === 1) alarm.setFor(250);
  });
  for (const at of [200, 100, 300, Number.POSITIVE_INFINITY]) alarm.setFor(at);
  expect(clock.pendingTimers).toBe(1);
  await clock.advance(1_000);
  expect(rings).toEqual([100, 250]);
});

it('rings at once for a moment that is over, and not after it was cleared', async () => {
  const clock = new TestClock();
  const rings: number[] = [];
  const alarm = new Alarm(clock, () => rings.push(clock.monotonic()));
  await clock.advance(50);
  alarm.setFor(10);
  await clock.advance(0);
  expect(rings).toEqual([50]);
  alarm.setFor(100);
  alarm.clear();
  await clock.advance(1_000);
  expect([rings.length, clock.pendingTimers]).toEqual([1, 0]);
});
