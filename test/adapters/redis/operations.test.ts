import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { RedisRevocationFeed } from '../../../entries/redis.js';
import { systemClock } from '../../../src/time/system-clock.js';

/**
 * Publishes revocations by a client that takes whatever it is given, and answers nothing; how many it was given, and how many were refused
 * at once.
 */
async function publishedInSilence(status: string, count: number) {
  let given = 0;
  const take = (): Promise<never> => {
    given += 1;
    return new Promise(() => {});
  };
  const client = { status, call: take, publish: take, spublish: take, duplicate: () => client, disconnect: () => undefined };
  const feed = new RedisRevocationFeed(client, { clock: { ...systemClock, setTimer: () => () => undefined } });
  let refused = 0;
  for (let index = 0; index < count; index += 1) feed.publish({ userId: `user ${index}` }).catch(() => (refused += 1));
  await nextTurn();
  return { given, refused };
}

it('revocations that are published while Redis is away do not pile up in its client', async () => {
  expect(await publishedInSilence('reconnecting', 1_200)).toEqual({ given: 1_000, refused: 200 });
});

it('everybody may be logged out at once while Redis is there', async () => {
  expect(await publishedInSilence('ready', 20_000)).toEqual({ given: 20_000, refused: 0 });
});
