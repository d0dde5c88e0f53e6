import { MongoClient } from 'mongodb';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MongoRevocationFeed, MongoTokenRepository } from '../../../entries/mongodb.js';
import { TestClock } from '../../../entries/testing.js';
import type { Revocation, RevocationFeed } from '../../../src/contracts/revocation-feed.js';
import type { IssuedToken } from '../../../src/contracts/token-repository.js';
import { MemoryRevocationFeed } from '../../../src/feeds/memory-revocation-feed.js';
import { type TokenId, tokenIdOf } from '../../../src/token-id.js';
import type { AuthenticatedUser } from '../../../src/users.js';
import { listen } from '../../../testing/contracts/feed-listener.js';
import { describeOnMongo, openDatabase, url } from './mongo.js';

interface StoredToken {
  readonly _id: string;
  readonly slot?: number;
  readonly removeAt?: Date;
  readonly importedFrom?: string;
}

const minuteMs = 60_000;

describeOnMongo('A token in MongoDB that is renewed', () => {
  const { client, db, commands } = openDatabase();
  const collection = db.collection<StoredToken>('tokens');
  let clock = new TestClock(Date.now());
  let tokens = new MongoTokenRepository<AuthenticatedUser>(db, { clock });

  beforeEach(async () => {
    await collection.deleteMany({});
    await db.collection<{ _id: string }>('users').updateOne({ _id: 'ada' }, { $set: { name: 'Ada' } }, { upsert: true });
    clock = new TestClock(Date.now());
    tokens = new MongoTokenRepository(db, { clock });
  });

  afterEach(() => tokens.close());

  const rotate = async (id: TokenId, graceMs: number, repository = tokens): Promise<IssuedToken> => {
    const token = await repository.rotate(id, { graceMs });
    expect(token).toBeDefined();
    return token!;
  };
  const slotOf = async (id: TokenId) => (await collection.findOne({ _id: id }))?.slot;

  it('is replayed from the very end of its grace on, which revokes and tells of its successor once', async () => {
    const old = await tokens.issue('ada');
    const next = await rotate(old.id, 1_000);
    await clock.advance(999);
    expect(await tokens.findById(old.id)).toMatchObject({ successorId: next.id, user: { id: 'ada' } });
    expect((await tokens.findById(next.id))?.revokedAt).toBeUndefined();
    await clock.advance(1);
    await using listener = await listen(tokens.revocations);
    await tokens.findById(old.id);
    expect((await tokens.findById(next.id))?.revokedAt).toEqual(new Date(clock.now()));
    expect(new Set(listener.heard)).toEqual(new Set([{ tokenId: old.id }, { tokenId: next.id }]));
    await tokens.findById(old.id);
    expect(listener.heard).toHaveLength(2);
  });

  it('and that another program wrote, with null for what is not there, is like any other', async () => {
    const id = tokenIdOf('f'.repeat(40));
    const nothing = Object.fromEntries(
      ['label', 'scopes', 'expiresAt', 'revokedAt', 'lastUsedAt', 'slot', 'successorId', 'graceEndsAt', 'chainId', 'chainStartedAt'].map(
        (field) => [field, null],
      ),
    );
    await collection.insertOne({ _id: id, userId: 'ada', createdAt: new Date(clock.now()), ...nothing } as never);
    const limited = new MongoTokenRepository<AuthenticatedUser>(db, { clock, maxPerUser: 1 });
    await expect(limited.issue('ada')).rejects.toMatchObject({ code: 'ERR_TOKEN_LIMIT' });
    const next = await rotate(id, 1_000, limited);
    await clock.advance(1_000);
    await limited.findById(id);
    expect((await limited.findById(next.id))?.revokedAt).toEqual(new Date(clock.now()));
  });

  it('revokes no other token of its user with its chain', async () => {
    const [old, other] = [await tokens.issue('ada'), await tokens.issue('ada')];
    const next = await rotate(old.id, 0);
    await tokens.findById(old.id);
    const grants = await tokens.findByIds([old.id, next.id, other.id]);
    expect([old, next, other].map(({ id }) => grants.get(id)?.revokedAt !== undefined)).toEqual([true, true, false]);
    await tokens.revoke(other.id);
    expect((await tokens.findById(other.id))?.revokedAt).toBeDefined();
  });

  it('is written by a majority of the nodes', async () => {
    const concerns: unknown[] = [];
    const { id } = await tokens.issue('ada', { ttlMs: minuteMs });
    const onCommand = ({ commandName, command }: { commandName: string; command: { writeConcern?: unknown } }): void => {
      if (['insert', 'findAndModify'].includes(commandName)) concerns.push(command.writeConcern);
    };
    client.on('commandStarted', onCommand);
    await tokens.extend(id, { ttlMs: 2 * minuteMs });
    await tokens.rotate(id, { graceMs: 0 });
    client.off('commandStarted', onCommand);
    expect(concerns).toEqual([{ w: 'majority' }, { w: 'majority' }, { w: 'majority' }]);
  });

  it('hands its slot to its successor, and counts no more while in its grace', async () => {
    const limited = new MongoTokenRepository<AuthenticatedUser>(db, { clock, maxPerUser: 2 });
    const [one, two] = [await limited.issue('ada'), await limited.issue('ada')];
    const next = await rotate(one.id, minuteMs, limited);
    expect([await slotOf(one.id), await slotOf(next.id)].map((slot) => typeof slot)).toEqual(['undefined', 'number']);
    expect(await slotOf(next.id)).not.toBe(await slotOf(two.id));
    await expect(limited.issue('ada')).rejects.toMatchObject({ code: 'ERR_TOKEN_LIMIT' });
    await limited.revoke(two.id);
    await limited.issue('ada');
    await expect(limited.issue('ada')).rejects.toMatchObject({ code: 'ERR_TOKEN_LIMIT' });
  });

  it('gets no second successor beyond the limit, and keeps its first', async () => {
    const limited = new MongoTokenRepository<AuthenticatedUser>(db, { clock, maxPerUser: 2 });
    const old = await limited.issue('ada');
    const first = await rotate(old.id, minuteMs, limited);
    const second = await rotate(old.id, minuteMs, limited);
    const answered: string[] = [];
    const onAnswer = ({ commandName }: { commandName: string }): void => void answered.push(commandName);
    client.on('commandSucceeded', onAnswer);
    await expect(limited.rotate(old.id, { graceMs: minuteMs })).rejects.toMatchObject({ code: 'ERR_TOKEN_LIMIT' });
    client.off('commandSucceeded', onAnswer);
    expect(answered.at(-1)).toBe('delete'); // the third is gone by then
    expect((await limited.findById(old.id))?.successorId).toBe(second.id);
    expect((await limited.listOf('ada')).map(({ id }) => id).sort()).toEqual([old.id, first.id, second.id].sort());
    const storm = await Promise.allSettled(Array.from({ length: 10 }, () => limited.rotate(first.id, { graceMs: minuteMs })));
    expect(storm.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('leaves nothing of a successor behind that was made while it was revoked', async () => {
    const rounds = Array.from({ length: 10 }, async () => {
      const { id } = await tokens.issue('ada');
      await Promise.all([tokens.rotate(id, { graceMs: minuteMs }), tokens.revoke(id), tokens.rotate(id, { graceMs: minuteMs })]);
    });
    await Promise.all(rounds);
    expect(await tokens.listOf('ada')).toEqual([]);
  });

  it('may be removed a day after its grace, but for one that was imported', async () => {
    const [own, imported] = [await tokens.issue('ada'), await tokens.issue('ada')];
    await collection.updateOne({ _id: imported.id }, { $set: { importedFrom: 'authtoken_token' } });
    for (const { id } of [own, imported]) await rotate(id, 1_000);
    expect((await collection.findOne({ _id: own.id }))?.removeAt).toEqual(new Date(clock.now() + 1_000 + 24 * 60 * minuteMs));
    expect(await collection.findOne({ _id: imported.id })).not.toHaveProperty('removeAt');
    expect(await collection.findOne({ _id: imported.id })).not.toHaveProperty('expiresAt');
  });

  it('is told of to all repositories over one client, and the cache of each heeds it', async () => {
    const cached = new MongoTokenRepository<AuthenticatedUser>(db, { clock, cache: { ttlMs: 60_000 } });
    expect(cached.revocations).toBe(tokens.revocations);
    const { id } = await tokens.issue('ada', { ttlMs: minuteMs });
    await cached.findById(id);
    commands();
    await cached.findById(id);
    expect(commands()).toEqual([]);
    const next = await rotate(id, 1_000);
    expect((await cached.findById(id))?.successorId).toBe(next.id);
    await cached.findById(next.id);
    await cached.extend(next.id, { ttlMs: 3 * minuteMs });
    expect((await cached.findById(next.id))?.expiresAt).toEqual(new Date(clock.now() + 3 * minuteMs));
    await tokens.revoke(next.id);
    expect((await cached.findById(next.id))?.revokedAt).toBeDefined();
    await cached.close();
  });

  it('is a hint to the channels of this process, and so is one that is extended', async () => {
    const { id } = await tokens.issue('ada', { ttlMs: minuteMs });
    const heard: Revocation[] = [];
    await using _ = await tokens.revocations.subscribe((revocation) => void heard.push(revocation));
    await tokens.extend(id, { ttlMs: 3 * minuteMs });
    await rotate(id, 1_000);
    expect(heard).toEqual(Array(2).fill({ tokenId: id, hint: true }));
  });

  it('that another process revoked leaves the cache at once where there is a feed', async () => {
    await using other = await new MongoClient(url).connect();
    const feed = new MongoRevocationFeed(db);
    const cached = new MongoTokenRepository<AuthenticatedUser>(db, { cache: { ttlMs: 60_000, feed } });
    await using listener = await listen(feed);
    const { id } = await tokens.issue('ada');
    const { id: probe } = await tokens.issue('ada');
    await cached.findById(id);
    await cached.findById(id);
    await new MongoTokenRepository<AuthenticatedUser>(other.db(db.databaseName)).revoke(id);
    await listener.hears((revocation) => 'tokenId' in revocation && revocation.tokenId === id);
    expect((await cached.findById(id))?.revokedAt).toBeDefined();
    expect((await cached.findById(probe))?.revokedAt).toBeUndefined();
    await cached.close();
  });

  it.each<[string, (id: TokenId) => Revocation | 'gap']>([
    ['the token', (tokenId) => ({ tokenId })],
    ['its user', () => ({ userId: 'ada', hint: true })],
    ['a gap', () => 'gap'],
  ])('does not get into the cache by a look-up that is in flight when %s is told, nor stays there', async (_, revocationOf) => {
    const told: { on: (revocation: Revocation) => void; onGap: () => void }[] = [];
    const feed: RevocationFeed = {
      async subscribe(on, onGap) {
        told.push({ on, onGap });
        return { [Symbol.asyncDispose]: async () => undefined };
      },
    };
    const cached = new MongoTokenRepository<AuthenticatedUser>(db, { clock, cache: { ttlMs: 60_000, feed } });
    const { id } = await tokens.issue('ada');
    const { id: other } = await tokens.issue('ada');
    const tell = (): void => {
      const revocation = revocationOf(id);
      for (const { on, onGap } of told) {
        if (revocation === 'gap') onGap();
        else on(revocation);
      }
    };
    const costs = async (): Promise<readonly string[]> => {
      commands();
      await cached.findById(id);
      return commands();
    };
    await cached.findById(other);
    const looking = cached.findById(id);
    tell();
    await looking;
    expect(await costs()).toEqual(['aggregate']);
    expect(await costs()).toEqual([]);
    tell();
    expect(await costs()).toEqual(['aggregate']);
    expect(told).toHaveLength(1);
    await cached.close();
    expect(await costs()).toEqual(['aggregate']);
  });

  it('gets into the cache though an HTTP session ends while it is looked up', async () => {
    const feed = new MemoryRevocationFeed();
    const cached = new MongoTokenRepository<AuthenticatedUser>(db, { clock, cache: { ttlMs: 60_000, feed } });
    const [{ id }, { id: other }] = [await tokens.issue('ada'), await tokens.issue('ada')];
    await cached.findById(other);
    const looking = cached.findById(id);
    feed.tell({ httpSessionId: 'a-session' });
    await looking;
    commands();
    await cached.findById(id);
    expect(commands()).toEqual([]);
    await cached.close();
  });

  it('is looked up past a feed that cannot be subscribed to, which is tried again', async () => {
    let attempts = 0;
    const feed: RevocationFeed = {
      subscribe() {
        attempts += 1;
        return Promise.reject(new Error('not now'));
      },
    };
    const cached = new MongoTokenRepository<AuthenticatedUser>(db, { clock, cache: { feed } });
    for (let round = 0; round < 2; round += 1) {
      const { id } = await tokens.issue('ada');
      expect((await cached.findById(id))?.user?.id).toBe('ada');
    }
    expect(attempts).toBe(2);
    await cached.close();
  });

  it('is checked again with ten thousand others in five commands at most', async () => {
    const documents = Array.from({ length: 10_000 }, (_, index) => ({
      _id: index.toString(16).padStart(64, '0') as TokenId,
      userId: `user-${index}`,
      createdAt: new Date(),
    }));
    await collection.insertMany(documents as never[]);
    await db.collection<{ _id: string }>('users').insertMany(documents.map(({ userId }) => ({ _id: userId, about: 'x'.repeat(500) })));
    commands();
    const grants = await tokens.findByIds(documents.map(({ _id }) => _id));
    expect(commands().length).toBeLessThanOrEqual(5);
    expect(grants.size).toBe(10_000);
    expect(grants.get(documents[9_999]!._id)?.user?.id).toBe('user-9999');
  });
});
