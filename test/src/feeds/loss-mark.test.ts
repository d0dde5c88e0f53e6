import { expect, it } from 'vitest';
import { LossMark } from '../../../src/feeds/loss-mark.js';
import { TestClock } from '../../../testing/test-clock.js';

it('a mark is sent until it has gone out, ever more seldom, and only once at a time', async () => {
  const clock = new TestClock();
  let [attempts, failures] = [0, 3];
  const mark = new LossMark(
    clock,
    () => failures > 0 || attempts === 0,
    async () => {
      attempts += 1;
      if (failures > 0) {
        failures -= 1;
        throw new Error('It is away.');
      }
    },
  );
  mark.needed();
  mark.needed();
  await clock.advance(100);
  expect(attempts).toBe(1);
  await clock.advance(199);
  expect(attempts).toBe(1);
  await clock.advance(1);
  expect(attempts).toBe(2);
  await clock.advance(10_000);
  expect(attempts).toBe(3);
  expect(clock.pendingTimers).toBe(0);
  failures = 1;
  mark.needed();
  await clock.advance(100);
  expect(attempts).toBe(4);
  expect(clock.pendingTimers).toBe(0);
});

it('a mark that a later message made needless is not sent', async () => {
  const clock = new TestClock();
  let attempts = 0;
  const mark = new LossMark(
    clock,
    () => false,
    async () => {
      attempts += 1;
    },
  );
  mark.needed();
  await clock.advance(60_000);
  expect(attempts).toBe(0);
  expect(clock.pendingTimers).toBe(0);
});
