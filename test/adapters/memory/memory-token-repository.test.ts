import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { MemoryTokenRepository, MemoryUserRepository } from '../../../entries/memory.js';
import { TestClock } from '../../../entries/testing.js';
import type { IssueOptions } from '../../../src/contracts/token-repository.js';
import type { UserRepository } from '../../../src/contracts/user-repository.js';
import { tokenIdOf } from '../../../src/token-id.js';
import type { AuthenticatedUser } from '../../../src/users.js';
import { deferred } from '../../support/deferred.js';

const ada = { id: 'ada', isAuthenticated: true } as const;
const key = '4ac18618b19f1f03dc9055a4f13bddc04c0cf8bf';
const dayMs = 24 * 60 * 60 * 1000;

function made(users: UserRepository<AuthenticatedUser> = new MemoryUserRepository([ada])) {
  const clock = new TestClock();
  return { clock, tokens: new MemoryTokenRepository({ users, clock }) };
}

describe('issue', () => {
  it('counts the life of a token on its clock', async () => {
    const { clock, tokens } = made();
    const { id, expiresAt } = await tokens.issue('ada', { ttlMs: 1 });
    expect(expiresAt).toEqual(new Date(clock.now() + 1));
    expect(await tokens.listOf('ada')).toHaveLength(1);
    await clock.advance(1);
    expect(await tokens.listOf('ada')).toEqual([]);
    expect(await tokens.findById(id)).toMatchObject({ user: ada, expiresAt });
  });

  it('copies the scopes', async () => {
    const { tokens } = made();
    const scopes = ['read'];
    const { id } = await tokens.issue('ada', { scopes });
    scopes.push('admin');
    expect((await tokens.findById(id))?.scopes).toEqual(['read']);
  });

  it('takes no time of life that ends after the last date', async () => {
    const { tokens } = made();
    await expect(tokens.issue('ada', { ttlMs: Number.MAX_SAFE_INTEGER })).rejects.toBeInstanceOf(TypeError);
  });

  it('takes no past: what only add knows is no option of it', async () => {
    const { tokens } = made();
    for (const name of ['createdAt', 'expiresAt', 'revokedAt']) {
      await expect(tokens.issue('ada', { [name]: new Date(0) } as object)).rejects.toBeInstanceOf(TypeError);
    }
    expect(await tokens.listOf('ada')).toEqual([]);
  });
});

describe('add', () => {
  it('takes over a key that clients hold already', async () => {
    const { tokens } = made();
    const createdAt = new Date(0);
    const id = tokens.add(key, 'ada', { createdAt, label: 'phone' });
    expect(id).toBe(tokenIdOf(key));
    expect(await tokens.findById(id)).toEqual({ id, user: ada });
    expect(await tokens.listOf('ada')).toEqual([expect.objectContaining({ createdAt, label: 'phone' })]);
  });

  it('takes a time of life as well as a time of expiry, but not both', async () => {
    const { clock, tokens } = made();
    const expiresAt = new Date(clock.now() + 1000);
    const first = tokens.add('a'.repeat(16), 'ada', { ttlMs: 1000 });
    const second = tokens.add('b'.repeat(16), 'ada', { expiresAt });
    expect((await tokens.findById(first))?.expiresAt).toEqual(expiresAt);
    expect((await tokens.findById(second))?.expiresAt).toEqual(expiresAt);
    expect(() => tokens.add(key, 'ada', { ttlMs: 1000, expiresAt })).toThrow(TypeError);
  });

  it('refuses a key that is known, so that a revoked one is not revived', async () => {
    const { tokens } = made();
    const id = tokens.add(key, 'ada');
    await tokens.revoke(id);
    expect(() => tokens.add(key, 'ada')).toThrow(TypeError);
    expect((await tokens.findById(id))?.revokedAt).toBeInstanceOf(Date);
  });

  it.each([
    ['a short key', 'a'.repeat(15), 'ada', {}],
    ['a key that is no string', 7, 'ada', {}],
    ['a user without id', key, '', {}],
    ['a user id that is no string', key, 7, {}],
    ['an invalid date', key, 'ada', { expiresAt: new Date(Number.NaN) }],
    ['a date that is none', key, 'ada', { createdAt: 'yesterday' }],
    ['scopes that are no list', key, 'ada', { scopes: {} }],
    ['scopes that are no strings', key, 'ada', { scopes: [null] }],
  ])('refuses %s, without showing the key', (_, badKey, userId, options) => {
    const { tokens } = made();
    let error: unknown;
    try {
      tokens.add(badKey as string, userId as string, options as object);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(TypeError);
    if (typeof badKey === 'string') expect((error as Error).message).not.toContain(badKey);
  });
});

describe('lastUsedAt', () => {
  it('is written by findById, at most once a minute', async () => {
    const { clock, tokens } = made();
    const { id } = await tokens.issue('ada');
    const lastUsedAt = async () => (await tokens.listOf('ada'))[0]?.lastUsedAt?.getTime();
    expect(await lastUsedAt()).toBeUndefined();
    const first = clock.now();
    await tokens.findById(id);
    await clock.advance(59_999);
    await tokens.findById(id);
    expect(await lastUsedAt()).toBe(first);
    await clock.advance(1);
    await tokens.findById(id);
    expect(await lastUsedAt()).toBe(first + 60_000);
  });

  it('is not written by looking through many tokens, nor for a user who is gone', async () => {
    const users = new MemoryUserRepository<AuthenticatedUser>([ada]);
    const { tokens } = made(users);
    const { id } = await tokens.issue('ada');
    await tokens.findByIds([id]);
    users.delete('ada');
    await tokens.findById(id);
    expect((await tokens.listOf('ada'))[0]?.lastUsedAt).toBeUndefined();
  });
});

describe('tokens that ended', () => {
  it('are found as such for a day, and unknown afterwards', async () => {
    const { clock, tokens } = made();
    const expired = await tokens.issue('ada', { ttlMs: 1000 });
    await clock.advance(1000);
    const revoked = await tokens.issue('ada');
    await tokens.revoke(revoked.id);
    await clock.advance(dayMs - 1);
    expect(await tokens.findById(expired.id)).toMatchObject({ expiresAt: expired.expiresAt });
    expect((await tokens.findByIds([expired.id, revoked.id])).size).toBe(2);
    await clock.advance(1);
    expect(await tokens.findById(expired.id)).toBeUndefined();
    expect((await tokens.findByIds([expired.id, revoked.id])).size).toBe(0);
    expect(await tokens.revoke(revoked.id)).toBe(false);
  });

  it('are removed while others are issued: none is left, were the clock set back', async () => {
    let time = 0;
    const tokens = new MemoryTokenRepository({ users: new MemoryUserRepository([ada]), clock: { now: () => time } });
    const issue = (count: number, options?: IssueOptions) =>
      Promise.all(Array.from({ length: count }, async () => (await tokens.issue('ada', options)).id));
    const lasting = await issue(5);
    const ended = await issue(20, { ttlMs: 1000 });
    time = dayMs + 1000;
    await issue(30);
    time = 0;
    expect([...(await tokens.findByIds([...lasting, ...ended])).keys()]).toEqual(lasting);
  });

  it('say that they were revoked also when that happened while their user was looked up', async () => {
    const answer = deferred<AuthenticatedUser>();
    const { tokens } = made({ findById: () => answer.promise });
    const id = tokens.add(key, 'ada');
    const pending = tokens.findById(id);
    await tokens.revoke(id);
    answer.resolve(ada);
    expect((await pending)?.revokedAt).toBeInstanceOf(Date);
  });
});

describe('users', () => {
  it('are looked up once each for many tokens', async () => {
    const asked: unknown[] = [];
    const { tokens } = made({
      async findById() {
        throw new Error('one by one');
      },
      async findByIds(ids) {
        asked.push(ids);
        return new Map([['ada', ada]]);
      },
    });
    const ids = [tokens.add('a'.repeat(16), 'ada'), tokens.add('b'.repeat(16), 'ada'), tokens.add('c'.repeat(16), 'bob')];
    const found = await tokens.findByIds(ids);
    expect(asked).toEqual([['ada', 'bob']]);
    expect(ids.map((id) => found.get(id)?.user)).toEqual([ada, ada, undefined]);
  });

  it('that cannot be looked up make a rejection, never a token without a user', async () => {
    const failure = new Error('connection lost');
    const { tokens } = made({ findById: () => Promise.reject(failure) });
    const id = tokens.add(key, 'ada');
    await expect(tokens.findById(id)).rejects.toBe(failure);
    await expect(tokens.findByIds([id])).rejects.toBe(failure);
    await expect(tokens.issue('ada')).rejects.toBe(failure);
  });

  it('fail for one who cannot be told, and for that one only, where they are asked for one by one', async () => {
    const failure = new Error('ada is broken');
    const all = new MemoryUserRepository([ada, { id: 'bob', isAuthenticated: true }]);
    let isBroken = false;
    const { tokens } = made({
      async findById(id) {
        if (isBroken && id === 'ada') throw failure;
        return all.findById(id);
      },
    });
    const [first, second] = [await tokens.issue('ada'), await tokens.issue('bob')];
    isBroken = true;
    const found = await tokens.findByIds([first.id, second.id]);
    expect(found.get(second.id)?.user?.id).toBe('bob');
    expect(() => found.get(first.id)?.user?.id).toThrow(failure);
  });
});

describe('options and secrets', () => {
  it.each([undefined, {}, { users: {} }, { users: null }, { users: new MemoryUserRepository(), clock: {} }])('refuses %s', (options) => {
    expect(() => new MemoryTokenRepository(options as never)).toThrow(/^MemoryTokenRepository: (users|clock) must be /);
  });

  it('shows neither keys nor ids when it is printed or serialized', async () => {
    const { tokens } = made();
    const issued = await tokens.issue('ada');
    const added = tokens.add(key, 'ada');
    const shown = inspect(tokens, { depth: 9, showHidden: true }) + JSON.stringify(tokens);
    for (const secret of [key, issued.key, issued.id, added]) expect(shown).not.toContain(secret);
    expect(inspect([await tokens.findById(issued.id), await tokens.listOf('ada')], { depth: 9 })).not.toContain(issued.key);
  });
});
