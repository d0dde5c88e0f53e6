import { expect, it } from 'vitest';
import { TestClock } from '../../../entries/testing.js';
import { Echoes } from '../../../src/live/echoes.js';

it('nothing is kept for longer than ten seconds of what a feed never tells back', async () => {
  const clock = new TestClock();
  const echoes = new Echoes(clock);
  for (let second = 0; second < 60; second += 1) {
    echoes.published({ userId: `user-${second}` });
    await clock.advance(1_000);
  }
  expect(echoes.size).toBeLessThanOrEqual(11);
  await clock.advance(10_001);
  const told = { userId: 'user-59' };
  expect(echoes.heard(told)).toBe(told);
  expect(echoes.size).toBe(0);
});

it('what is published again and again keeps nothing of what was published once', async () => {
  const clock = new TestClock();
  const echoes = new Echoes(clock);
  for (let second = 0; second < 60; second += 1) {
    echoes.published({ userId: 'ann' });
    echoes.published({ userId: `user-${second}` });
    await clock.advance(1_000);
  }
  expect(echoes.size).toBeLessThanOrEqual(22);
});

it('each comes back as often as it was published, and others of its kind that are told are none of them', async () => {
  const clock = new TestClock();
  const echoes = new Echoes(clock);
  const told = { userId: 'ann' };
  const dates: Date[] = [];
  for (const ms of [6_000, 3_000, 3_000]) {
    dates.push(new Date(clock.now()));
    echoes.published(told);
    await clock.advance(ms);
  }
  expect(echoes.heard({ userId: 'bob' })).toEqual({ userId: 'bob' });
  // the first was published too long ago
  expect([1, 2, 3].map(() => echoes.heard(told))).toEqual([{ ...told, issuedBefore: dates[1] }, { ...told, issuedBefore: dates[2] }, told]);
  expect(echoes.size).toBe(0);
});
