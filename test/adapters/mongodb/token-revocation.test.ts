import { expect, it } from 'vitest';
import { TokenRevocation } from '../../../adapters/mongodb/token-revocation.js';
import { TestClock } from '../../../entries/testing.js';
import type { Revocation } from '../../../src/contracts/revocation-feed.js';
import { MemoryRevocationFeed } from '../../../src/feeds/memory-revocation-feed.js';
import type { TokenId } from '../../../src/token-id.js';

const operations = {
  clock: new TestClock(),
  run: (_what: string, run: (signal: AbortSignal) => unknown) => run(new AbortController().signal),
};

it('tokens that others are rotated into while they are revoked are revoked as well, of a chain and of all of a user', async () => {
  const document = { _id: 'a'.repeat(64), userId: 'ann', chainId: 'a'.repeat(64) };
  const live = new Set<string>();
  let rotations = 0;
  const update = async () => {
    const modifiedCount = live.size;
    live.clear();
    if (modifiedCount > 0 && rotations < 3) {
      rotations += 1;
      live.add(`successor ${rotations}`); // behind what the write has gone over
    }
    return { modifiedCount };
  };
  const tokens = {
    updateMany: update,
    updateOne: update,
    find: () => ({ toArray: async () => [document] }),
    findOne: async () => document,
  };
  const revocation = new TokenRevocation({ tokens, operations, told: new MemoryRevocationFeed(), onRevoked: () => undefined } as never);
  for (const revoke of [() => revocation.one(document._id as TokenId), () => revocation.allOf('ann')]) {
    rotations = 0;
    live.add('first');
    await revoke();
    expect([rotations, live.size]).toEqual([3, 0]);
  }
});

it('tokens that were revoked, of which it cannot be said which, have the channels of their user looked up again, and none ended', async () => {
  const told = new MemoryRevocationFeed();
  const heard: Revocation[] = [];
  const subscription = await told.subscribe(
    (revocation) => void heard.push(revocation),
    () => undefined,
  );
  const updates = [2, 0];
  const tokens = {
    updateMany: async () => ({ modifiedCount: updates.shift() }),
    find: () => ({ toArray: () => Promise.reject(new Error('down')) }),
  };
  const order: string[] = [];
  const parts = { tokens, operations, told, onRevoked: () => void order.push(`revoked, ${heard.length} told`) };
  expect(await new TokenRevocation(parts as never).allOf('ann')).toBe(2);
  expect(heard).toEqual([{ userId: 'ann', hint: true }]);
  expect(new Set(order)).toEqual(new Set(['revoked, 0 told']));
  await subscription[Symbol.asyncDispose]();
});

it('a revocation that may have been done without an answer has channels looked up again, and so has the next, which finds nothing left', async () => {
  const document = { _id: 'a'.repeat(64), userId: 'ann', chainId: 'a'.repeat(64) };
  const told = new MemoryRevocationFeed();
  let heard: Revocation[] = [];
  await told.subscribe((revocation) => void heard.push(revocation));
  let answers = false;
  const update = async () => (answers ? { modifiedCount: 0 } : Promise.reject(new Error('cut off')));
  const tokens = { updateOne: update, updateMany: update, findOne: async () => document };
  const revocation = new TokenRevocation({ tokens, operations, told, onRevoked: () => undefined } as never);
  const ofToken = { tokenId: document._id, hint: true };
  const ofUser = { userId: 'ann', hint: true };

  await expect(revocation.one(document._id as TokenId)).rejects.toThrow('cut off');
  await expect(revocation.allOf('ann')).rejects.toThrow('cut off');
  await expect(revocation.chainOf(document as never)).rejects.toThrow('cut off');
  expect(heard).toEqual([ofToken, ofUser, ofUser]);
  heard = [];
  answers = true;
  expect([await revocation.one(document._id as TokenId), await revocation.allOf('ann')]).toEqual([false, 0]);
  expect(heard).toEqual([ofToken, ofUser, ofUser]);
});
