import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { awaitTurnEnd, isTurnEndAwaited } from '../../src/turn-end.js';
import { uncaughtIn } from '../support/uncaught.js';

it('the end of a turn is told to all who wait for it, once, also where one of them breaks', async () => {
  const told: string[] = [];
  const waiter = (name: string) => ({ turnOver: () => void told.push(name) });
  const breaking = {
    turnOver: () => {
      throw new Error('broken');
    },
  };
  const uncaught = await uncaughtIn(async () => {
    for (const each of [waiter('first'), breaking, waiter('third')]) awaitTurnEnd(each);
    expect(isTurnEndAwaited()).toBe(true);
    await nextTurn();
    await nextTurn();
  });
  expect(uncaught).toEqual([new Error('broken')]);
  expect(told).toEqual(['first', 'third']);
  expect(isTurnEndAwaited()).toBe(false);
});
