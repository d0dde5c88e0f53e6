import { expect, it } from 'vitest';
import { Subscribers } from '../../../src/feeds/subscribers.js';
import { deferred } from '../../support/deferred.js';

function ignore(): void {}

function sharing(begin: () => Promise<void>) {
  const log: string[] = [];
  const subscribers = new Subscribers<[string]>();
  const shared = {
    begin: () => {
      log.push('begun');
      return begin();
    },
    end: () => log.push('ended'),
  };
  return { log, subscribe: () => subscribers.subscribe('Feed', { on: ignore, onGap: ignore }, shared) };
}

it('what subscribers share is begun for the first of them alone, and ended with the last', async () => {
  const beginning = deferred();
  const { log, subscribe } = sharing(() => beginning.promise);
  const subscribing = [subscribe(), subscribe()];
  beginning.resolve();
  const subscriptions = [...(await Promise.all(subscribing)), await subscribe()];
  expect(log).toEqual(['begun']);
  for (const subscription of subscriptions) await subscription[Symbol.asyncDispose]();
  expect(log).toEqual(['begun', 'ended']);
  await subscribe();
  expect(log).toEqual(['begun', 'ended', 'begun']);
});

it('what could not be begun rejects for all who wait for it, is ended, and is begun anew for the next', async () => {
  let isThere = false;
  const { log, subscribe } = sharing(() => (isThere ? Promise.resolve() : Promise.reject(new Error('not there'))));
  expect(await Promise.allSettled([subscribe(), subscribe()])).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
  expect(log).toEqual(['begun', 'ended']);
  isThere = true;
  await subscribe();
  expect(log).toEqual(['begun', 'ended', 'begun']);
});
