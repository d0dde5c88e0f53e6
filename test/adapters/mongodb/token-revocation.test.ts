import { expect, it } from 'vitest';
import { TokenRevocation } from '../../../adapters/mongodb/token-revocation.js';
import { TestClock } from '../../../entries/testing.js';
import type { Revocation } from '../../../src/contracts/revocation-feed.js';
import { MemoryRevocationFeed } from '../../../src/memory-revocation-feed.js';

it('tokens that were revoked, of which it cannot be said which, have the channels of their user looked up again, and none ended', async () => {
  const told = new MemoryRevocationFeed();
  const heard: Revocation[] = [];
  const subscription = await told.subscribe(
    (revocation) => void heard.push(revocation),
    () => undefined,
  );
  const tokens = {
    updateMany: async () => ({ modifiedCount: 2 }),
    find: () => ({ toArray: () => Promise.reject(new Error('down')) }),
  };
  const operations = {
    clock: new TestClock(),
    run: (_what: string, run: (signal: AbortSignal) => unknown) => run(new AbortController().signal),
  };
  const order: string[] = [];
  const parts = { tokens, operations, told, onRevoked: () => void order.push(`revoked, ${heard.length} told`) };
  expect(await new TokenRevocation(parts as never).allOf('ann')).toBe(2);
  expect(heard).toEqual([{ userId: 'ann', hint: true }]);
  expect(new Set(order)).toEqual(new Set(['revoked, 0 told']));
  await subscription[Symbol.asyncDispose]();
});
