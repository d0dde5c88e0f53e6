import { afterEach, beforeEach, expect, it } from 'vitest';
import { MongoTokenRepository, TokenLimitError } from '../../../entries/mongodb.js';
import { TestClock } from '../../../entries/testing.js';
import { type TokenId, tokenIdOf } from '../../../src/token-id.js';
import { describeOnMongo, openDatabase } from './mongo.js';

const minuteMs = 60_000;

interface StoredToken {
  readonly _id: string;
  readonly lastUsedAt?: Date;
  readonly slot?: number;
}

describeOnMongo('A token in MongoDB', () => {
  const { client, db, commands } = openDatabase();
  const collection = db.collection<StoredToken>('tokens');
  const users = db.collection<{ _id: string }>('users');
  let clock = new TestClock(Date.now());
  let tokens = new MongoTokenRepository(db, { clock });

  beforeEach(async () => {
    await collection.deleteMany({});
    for (const _id of ['ada', 'bob']) await users.updateOne({ _id }, { $set: { name: _id } }, { upsert: true });
    clock = new TestClock(Date.now());
    tokens = new MongoTokenRepository(db, { clock });
  });

  afterEach(() => tokens.close());

  const lastUsed = async (id: TokenId) => (await collection.findOne({ _id: id }))?.lastUsedAt?.getTime();

  it('is stored under the digest of its key, and its key nowhere', async () => {
    const { key, id } = await tokens.issue('ada', { label: 'phone', scopes: ['read'], ttlMs: minuteMs });
    const document = await collection.findOne({ _id: tokenIdOf(key) });
    expect(id).toBe(tokenIdOf(key));
    const now = clock.now();
    const expiresAt = new Date(now + minuteMs);
    expect(document).toEqual({ _id: id, userId: 'ada', label: 'phone', scopes: ['read'], createdAt: new Date(now), expiresAt });
    expect(JSON.stringify(document)).not.toContain(key);
  });

  it('that was revoked says when, is counted once, and is kept for a day', async () => {
    const { id } = await tokens.issue('ada');
    expect(await tokens.revoke(id)).toBe(true);
    expect(await tokens.revoke(id)).toBe(false);
    expect((await tokens.findById(id))?.revokedAt).toEqual(new Date(clock.now()));
    expect(await collection.findOne({ _id: id })).toMatchObject({ removeAt: new Date(clock.now() + 24 * 60 * minuteMs) });
  });

  it.each([1, 30_000, minuteMs])('that a process revoked whose clock is %d ms ahead counts no more at once', async (aheadMs) => {
    const { id } = await tokens.issue('ada');
    await using other = new MongoTokenRepository(db, { clock: new TestClock(clock.now() + aheadMs) });
    await other.revoke(id);
    expect((await tokens.findById(id))?.revokedAt).toEqual(new Date(clock.now()));
  });

  it('that is to be revoked at a later time counts until then', async () => {
    const { id } = await tokens.issue('ada');
    const revokedAt = new Date(clock.now() + minuteMs + 1);
    await collection.updateOne({ _id: id }, { $set: { revokedAt } });
    expect((await tokens.findById(id))?.revokedAt).toEqual(revokedAt);
  });

  it('is revoked by a majority of the nodes', async () => {
    const concerns: unknown[] = [];
    const listen = ({ commandName, command }: { commandName: string; command: { writeConcern?: unknown } }): void => {
      if (commandName === 'update') concerns.push(command.writeConcern);
    };
    client.on('commandStarted', listen);
    await tokens.revoke((await tokens.issue('ada')).id);
    await tokens.revokeAllOf('ada');
    client.off('commandStarted', listen);
    expect(concerns).toEqual(Array(3).fill({ w: 'majority' }));
  });

  it('has its last use written some seconds later, with one command for all that were used', async () => {
    const ids = (await Promise.all([tokens.issue('ada'), tokens.issue('ada'), tokens.issue('ada')])).map(({ id }) => id);
    const usedAt = clock.now();
    await Promise.all(ids.map((id) => tokens.findById(id)));
    commands();
    await clock.advance(4_999);
    expect(commands()).toEqual([]);
    await clock.advance(1);
    await tokens.flush();
    expect(commands()).toEqual(['update']);
    for (const id of ids) expect(await lastUsed(id)).toBe(usedAt);
    expect((await tokens.listOf('ada')).map(({ lastUsedAt }) => lastUsedAt?.getTime())).toEqual([usedAt, usedAt, usedAt]);
  });

  it('has its use written once a minute at most, whichever process sees it', async () => {
    const { id } = await tokens.issue('ada');
    const first = clock.now();
    const other = new MongoTokenRepository(db, { clock });
    await Promise.all([tokens.findById(id), other.findById(id)]);
    await tokens.flush();
    await clock.advance(30_000);
    await tokens.findById(id);
    commands();
    await Promise.all([tokens.flush(), other.flush()]);
    expect(await lastUsed(id)).toBe(first);
    await clock.advance(minuteMs);
    await tokens.findById(id);
    await tokens.flush();
    expect(await lastUsed(id)).toBe(first + 90_000);
    await other.close();
  });

  it('is not used by a look-up that is refused, nor by a check of several', async () => {
    const [expired, revoked, checked, orphan] = await Promise.all([
      tokens.issue('ada', { ttlMs: 1_000 }),
      tokens.issue('ada'),
      tokens.issue('ada'),
      tokens.issue('bob'),
    ]);
    await users.deleteOne({ _id: 'bob' });
    await tokens.revoke(revoked.id);
    await clock.advance(1_000);
    commands();
    for (const { id } of [expired, revoked, orphan]) await tokens.findById(id);
    await tokens.findByIds([checked.id]);
    await tokens.flush();
    expect(commands()).not.toContain('update');
    expect(clock.pendingTimers).toBe(0);
  });

  it('is found all the same where its use cannot be written', async () => {
    const broken = new MongoTokenRepository(db, { clock });
    const { id } = await broken.issue('ada');
    await db.command({ collMod: 'tokens', validator: { lastUsedAt: { $exists: false } } });
    expect((await broken.findById(id))?.user?.id).toBe('ada');
    await broken.close();
    await db.command({ collMod: 'tokens', validator: {} });
    expect(await lastUsed(id)).toBeUndefined();
  });

  it('has its use written when the repository is closed, and none after that', async () => {
    const { id } = await tokens.issue('ada');
    {
      await using closing = new MongoTokenRepository(db, { clock });
      await closing.findById(id);
    }
    expect(await lastUsed(id)).toBe(clock.now());
    await tokens.close();
    const { id: second } = await tokens.issue('ada');
    expect((await tokens.findById(second))?.user?.id).toBe('ada');
    expect(clock.pendingTimers).toBe(0);
    expect(await lastUsed(second)).toBeUndefined();
  });

  it('is found in the cache for some seconds, where there is one, and in the database again once one was revoked', async () => {
    const cached = new MongoTokenRepository(db, { clock, cache: true });
    const [one, two] = await Promise.all([cached.issue('ada'), cached.issue('ada')]);
    const find = async (id: TokenId) => {
      commands();
      const grant = await cached.findById(id);
      return { revoked: grant?.revokedAt !== undefined, commands: commands() };
    };
    expect(await find(one.id)).toEqual({ revoked: false, commands: ['aggregate'] });
    expect(await find(one.id)).toEqual({ revoked: false, commands: [] });
    await cached.revoke(two.id);
    expect(await find(one.id)).toEqual({ revoked: false, commands: ['aggregate'] });
    await cached.revokeAllOf('ada');
    expect(await find(one.id)).toEqual({ revoked: true, commands: ['aggregate'] });
    cached.clearCache();
    expect(await find(one.id)).toEqual({ revoked: true, commands: ['aggregate'] });
    await cached.close();
  });

  it('that is revoked while it is looked up does not get into the cache', async () => {
    const cached = new MongoTokenRepository(db, { clock, cache: { ttlMs: 60_000, maxTokens: 10 } });
    const { id } = await cached.issue('ada');
    const looking = cached.findById(id);
    const revoking = cached.revoke(id);
    await Promise.all([looking, revoking]);
    expect((await cached.findById(id))?.revokedAt).toBeDefined();
    await cached.close();
  });

  it.each([
    { db: undefined },
    { db: {} },
    { options: { collection: '' } },
    { options: { timeoutMs: 0 } },
    { options: { timeoutMs: '3s' } },
    { options: { clock: {} } },
    { options: { maxPerUser: 0 } },
    { options: { cache: { ttlMs: 60_001 } } },
    { options: { cache: { maxTokens: 0 } } },
    { options: { users: { collection: 7 } } },
    { options: { users: { key: null } } },
    { options: { users: { map: 'name' } } },
    { options: { users: { key: 'account.uuid' } } },
    { options: { users: { key: '$uuid' } } },
    { options: { users: { profile: { collection: 'profiles' } } } },
    { options: { users: { profile: { collection: 'profiles', foreignField: 'user', as: '_id' } } } },
    { options: { users: { key: 'uuid', profile: { collection: 'profiles', foreignField: 'user', as: 'uuid' } } } },
    ...['uuid.profile', '_id.profile', '$profile', 'more.$profile', 'more.', '.profile', 'more..profile'].map((as) => ({
      options: { users: { key: 'uuid', profile: { collection: 'profiles', foreignField: 'user', as } } },
    })),
  ])('has a repository that refuses $options with a TypeError', (given) => {
    const make = () => new MongoTokenRepository(('db' in given ? given.db : db) as never, given.options as never);
    expect(make).toThrow(TypeError);
  });
});

describeOnMongo('A limit of tokens per user', () => {
  const { db } = openDatabase();
  const collection = db.collection<StoredToken>('tokens');
  const maxPerUser = 5;
  let clock = new TestClock(Date.now());
  let tokens = new MongoTokenRepository(db, { clock, maxPerUser });
  let user = 0;
  let userId = '';

  beforeEach(async () => {
    clock = new TestClock(Date.now());
    tokens = new MongoTokenRepository(db, { clock, maxPerUser, timeoutMs: 10_000 });
    user += 1;
    userId = `user-${user}`;
    await db.collection<{ _id: string }>('users').insertMany([{ _id: userId }, { _id: `${userId}-other` }]);
  });

  it('holds where many are asked for at once', async () => {
    const results = await Promise.allSettled(Array.from({ length: 50 }, () => tokens.issue(userId)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(maxPerUser);
    const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(reasons.every((reason) => reason instanceof TokenLimitError && reason.code === 'ERR_TOKEN_LIMIT')).toBe(true);
    expect((await tokens.listOf(userId)).length).toBe(maxPerUser);
    expect(await collection.countDocuments({ userId } as never)).toBe(maxPerUser);
  });

  it('is each user’s own', async () => {
    for (let count = 0; count < maxPerUser; count += 1) await tokens.issue(userId);
    await expect(tokens.issue(userId)).rejects.toMatchObject({ code: 'ERR_TOKEN_LIMIT', maxPerUser });
    await expect(tokens.issue(`${userId}-other`)).resolves.toBeDefined();
  });

  it('counts neither revoked nor expired tokens', async () => {
    const [first] = await Promise.all(Array.from({ length: maxPerUser - 1 }, () => tokens.issue(userId)));
    await tokens.issue(userId, { ttlMs: 1_000 });
    await expect(tokens.issue(userId)).rejects.toMatchObject({ code: 'ERR_TOKEN_LIMIT' });
    await tokens.revoke(first!.id);
    await tokens.issue(userId);
    await expect(tokens.issue(userId)).rejects.toMatchObject({ code: 'ERR_TOKEN_LIMIT' });
    await clock.advance(1_000);
    await tokens.issue(userId);
    await expect(tokens.issue(userId)).rejects.toMatchObject({ code: 'ERR_TOKEN_LIMIT' });
    expect(await tokens.revokeAllOf(userId)).toBe(maxPerUser);
    await tokens.issue(userId);
  });

  it('counts tokens from before there was one', async () => {
    const unlimited = new MongoTokenRepository(db, { clock });
    for (let count = 0; count < maxPerUser - 1; count += 1) await unlimited.issue(userId);
    await tokens.issue(userId);
    await expect(tokens.issue(userId)).rejects.toMatchObject({ code: 'ERR_TOKEN_LIMIT' });
  });

  it('is refused, not ignored, where its index cannot be made, and works once it can', async () => {
    const apart = db.collection<StoredToken>('apart');
    const limited = new MongoTokenRepository(db, { clock, maxPerUser, collection: 'apart' });
    await apart.createIndex({ userId: 1, slot: 1 });
    await expect(limited.issue(userId)).rejects.toMatchObject({ code: 86 });
    await apart.dropIndexes();
    await expect(limited.issue(userId)).resolves.toBeDefined();
  });

  it('lets a failure of the insertion through', async () => {
    await db.createCollection('strict', { validator: { label: { $exists: true } } });
    const strict = new MongoTokenRepository(db, { clock, maxPerUser, collection: 'strict' });
    await expect(strict.issue(userId)).rejects.toMatchObject({ code: 121 });
  });
});
