import { expect, it } from 'vitest';
import { Pending } from '../../../adapters/redis/pending.js';
import { TestClock } from '../../../entries/testing.js';
import { pausedClock } from '../../support/paused-clock.js';

it('gives up each operation when its own time is over, with one timer for all', async () => {
  const clock = new TestClock();
  const pending = new Pending(clock, 1_000);
  const told: string[] = [];
  const follow = (name: string, operation: Promise<unknown>): Promise<void> =>
    pending.within(operation).then(
      () => void told.push(`${name} done`),
      (error: Error) => void told.push(`${name}: ${error.name}`),
    );
  const never = new Promise(() => {});
  void follow('first', never);
  await clock.advance(400);
  void follow('second', never);
  void follow('third', Promise.resolve());
  void follow('fourth', Promise.reject(new RangeError('It failed.')));
  expect(clock.pendingTimers).toBe(1);
  await clock.advance(599);
  expect(told).toEqual(['third done', 'fourth: RangeError']);
  await clock.advance(1);
  expect(told.slice(2)).toEqual(['first: TimeoutError']);
  await clock.advance(399);
  expect(told.slice(3)).toEqual([]);
  await clock.advance(1);
  expect(told.slice(3)).toEqual(['second: TimeoutError']);
  expect(clock.pendingTimers).toBe(0);
});

it('gives up nothing that was answered while the process was asleep', async () => {
  const { clock, timers, runDue } = pausedClock();
  const pending = new Pending(clock, 1_000);
  let answer = (): void => {};
  const answered = pending.within(new Promise<void>((resolve) => (answer = resolve)));
  const silent = expect(pending.within(new Promise(() => {}))).rejects.toMatchObject({ name: 'TimeoutError' });
  runDue(8_000);
  answer();
  await answered;
  runDue(9_000);
  await silent;
  expect(timers.size).toBe(0);
});
