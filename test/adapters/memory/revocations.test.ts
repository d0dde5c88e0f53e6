import { expect, it } from 'vitest';
import { MemoryHttpSessionReader, MemoryTokenRepository, MemoryUserRepository } from '../../../entries/memory.js';
import { TestClock } from '../../../entries/testing.js';
import type { Revocation, RevocationFeed } from '../../../src/contracts/revocation-feed.js';
import type { AuthenticatedUser } from '../../../src/users.js';

const ada: AuthenticatedUser = { id: 'ada', isAuthenticated: true };

async function heardFrom(feed: RevocationFeed | undefined): Promise<Revocation[]> {
  const heard: Revocation[] = [];
  await feed?.subscribe(
    (revocation) => heard.push(revocation),
    () => undefined,
  );
  return heard;
}

it('a user that is replaced is a hint, one that is deleted has ended, and one that is new is nothing', async () => {
  const users = new MemoryUserRepository<AuthenticatedUser>();
  const heard = await heardFrom(users.revocations);
  users.set(ada);
  users.set({ ...ada });
  users.delete('ada');
  users.delete('ada');
  expect(heard).toEqual([{ userId: 'ada', hint: true }, { userId: 'ada' }]);
});

it('a repository of tokens tells of its users too, until the subscription ends', async () => {
  const users = new MemoryUserRepository([ada]);
  const heard: Revocation[] = [];
  const tokens = new MemoryTokenRepository({ users });
  const subscription = await tokens.revocations.subscribe(
    (revocation) => heard.push(revocation),
    () => undefined,
  );
  const { id } = await tokens.issue('ada');
  users.set({ ...ada });
  await tokens.revoke(id);
  await subscription[Symbol.asyncDispose]();
  users.delete('ada');
  expect(heard).toEqual([{ userId: 'ada', hint: true }, { tokenId: id }]);
});

it('a token that is rotated or extended is a hint, and one that counts no more is nothing', async () => {
  const tokens = new MemoryTokenRepository({ users: new MemoryUserRepository([ada]) });
  const { id } = await tokens.issue('ada', { ttlMs: 60_000 });
  const { id: other } = await tokens.issue('ada');
  await tokens.revoke(other);
  const heard = await heardFrom(tokens.revocations);
  await tokens.extend(id, { ttlMs: 120_000 });
  await tokens.rotate(id, { graceMs: 1_000 });
  await tokens.extend(other, { ttlMs: 120_000 });
  await tokens.rotate(other, { graceMs: 1_000 });
  expect(heard).toEqual(Array(2).fill({ tokenId: id, hint: true }));
});

it('a subscription that its users refuse leaves nothing behind', async () => {
  const users = new MemoryUserRepository([ada]);
  const refusing = {
    findById: (id: string) => users.findById(id),
    revocations: { subscribe: () => Promise.reject(new Error('no')) },
  };
  const tokens = new MemoryTokenRepository<AuthenticatedUser>({ users: refusing });
  const heard: Revocation[] = [];
  await expect(
    tokens.revocations.subscribe(
      (revocation) => heard.push(revocation),
      () => undefined,
    ),
  ).rejects.toThrow('no');
  await tokens.revoke((await tokens.issue('ada')).id);
  expect(heard).toEqual([]);
});

it('an HTTP session that is destroyed is told once, and one that expired is not', async () => {
  const clock = new TestClock();
  const sessions = new MemoryHttpSessionReader({ clock, ttlMs: 1_000 });
  const heard = await heardFrom(sessions.revocations);
  const id = sessions.create('ada');
  sessions.destroy(id);
  sessions.destroy(id);
  const expired = sessions.create('ada');
  await clock.advance(1_000);
  sessions.destroy(expired);
  expect(heard).toEqual([{ httpSessionId: id }]);
});

it('a key is a replay from the very end of its grace on, and not before', async () => {
  const clock = new TestClock();
  const tokens = new MemoryTokenRepository<AuthenticatedUser>({ users: new MemoryUserRepository([ada]), clock });
  const old = await tokens.issue('ada');
  const next = await tokens.rotate(old.id, { graceMs: 1_000 });
  await clock.advance(999);
  expect(await tokens.findById(old.id)).toMatchObject({ successorId: next?.id });
  expect((await tokens.findById(next!.id))?.revokedAt).toBeUndefined();
  await clock.advance(1);
  const heard = await heardFrom(tokens.revocations);
  await tokens.findById(old.id);
  expect((await tokens.findById(next!.id))?.revokedAt).toEqual(new Date(clock.now()));
  expect(heard).toEqual([{ tokenId: old.id }, { tokenId: next?.id }]);
  await tokens.findById(old.id);
  expect(heard).toHaveLength(2);
});
