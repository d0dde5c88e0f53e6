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
