import { expect, it } from 'vitest';
import {
  MongoRevocationFeed,
  MongoSessionStore,
  MongoTicketStore,
  MongoTokenRepository,
  MongoUserRepository,
  registerMongo,
} from '../../../entries/mongodb.js';
import {
  container as globalContainer,
  REVOCATION_FEED,
  SESSION_STORE,
  TICKET_STORE,
  TOKEN_REPOSITORY,
  USER_REPOSITORY,
} from '../../../src/injection.js';
import { listen } from '../../../testing/contracts/feed-listener.js';
import { eventually } from '../../support/eventually.js';
import { describeOnMongo, openDatabase } from './mongo.js';

describeOnMongo('registerMongo', () => {
  const { db, commands } = openDatabase();

  it('registers one instance of each under its injection token and its class', async () => {
    const container = globalContainer.createChildContainer();
    await using registered = registerMongo(container, { db });
    expect(container.resolve(TOKEN_REPOSITORY)).toBe(registered.tokens);
    expect(container.resolve(MongoTokenRepository)).toBe(registered.tokens);
    expect(container.resolve(USER_REPOSITORY)).toBe(registered.users);
    expect(container.resolve(MongoUserRepository)).toBe(registered.users);
    expect(container.resolve(SESSION_STORE)).toBe(registered.sessions);
    expect(container.resolve(MongoSessionStore)).toBe(registered.sessions);
    expect(container.resolve(TICKET_STORE)).toBe(registered.tickets);
    expect(container.resolve(MongoTicketStore)).toBe(registered.tickets);
    expect(container.resolve(REVOCATION_FEED)).toBe(registered.feed);
    expect(globalContainer.isRegistered(TOKEN_REPOSITORY)).toBe(false);
  });

  it('hands its options on: users are one and the same for tokens and for look-ups by id', async () => {
    const container = globalContainer.createChildContainer();
    const people = { collection: 'people', key: 'uuid' };
    const ofTokens = { collection: 'keys', maxPerUser: 1, users: people };
    const { tokens, users, sessions, tickets, feed, close } = registerMongo(container, {
      db,
      timeoutMs: 15_000,
      tokens: ofTokens,
      users: people,
      sessions: { collection: 'states', timeoutMs: 25_000 },
      tickets: { collection: 'passes' },
    });
    await db.collection('people').insertOne({ uuid: 'u-1', name: 'Ada' });
    const { id } = await tokens.issue('u-1');
    expect((await tokens.findById(id))?.user).toMatchObject({ id: 'u-1', name: 'Ada' });
    expect(await users.findById('u-1')).toMatchObject({ id: 'u-1', name: 'Ada' });
    await expect(tokens.issue('u-1')).rejects.toMatchObject({ code: 'ERR_TOKEN_LIMIT' });
    expect([tokens, users, sessions, feed].map((each) => each?.timeoutMs)).toEqual([15_000, 15_000, 25_000, 15_000]);
    await tickets.issue({ userId: 'u-1' }, 30_000);
    expect(await db.collection('passes').countDocuments()).toBe(1);
    await close();
    expect(await db.collection<{ _id: string }>('keys').findOne({ _id: id })).toHaveProperty('lastUsedAt');
  });

  it('registers a feed that tells of the collections of its repositories, by options of its own too, or none', async () => {
    for (const feed of [undefined, true, { httpSessions: 'sites' }]) {
      const registered = registerMongo(globalContainer.createChildContainer(), { db, feed, tokens: { collection: 'secrets' } });
      await using listener = await listen(registered.feed!);
      await db.collection<{ _id: string }>('users').insertOne({ _id: `ada ${String(feed)}` });
      const { id } = await registered.tokens.issue(`ada ${String(feed)}`);
      await registered.tokens.revoke(id);
      await listener.hears((revocation) => 'tokenId' in revocation && revocation.tokenId === id);
    }
    const container = globalContainer.createChildContainer();
    expect(registerMongo(container, { db, feed: false }).feed).toBeUndefined();
    expect(container.isRegistered(REVOCATION_FEED)).toBe(false);
    expect(registerMongo(container, { db, feed: true }).feed).toBeInstanceOf(MongoRevocationFeed);
  });

  it.each([true, { ttlMs: 60_000 }])('keeps tokens in memory with cache %j, and forgets at once what its feed tells of', async (cache) => {
    await using registered = registerMongo(globalContainer.createChildContainer(), { db, tokens: { cache } });
    const userId = `eve ${JSON.stringify(cache)}`;
    await db.collection<{ _id: string }>('users').insertOne({ _id: userId });
    const { id } = await registered.tokens.issue(userId);
    await eventually(async () => {
      commands();
      expect(await registered.tokens.findById(id)).toMatchObject({ user: { id: userId } });
      expect(commands()).not.toContain('aggregate');
    });
    await db.collection<{ _id: string }>('tokens').updateOne({ _id: id }, { $set: { revokedAt: new Date() } }); // as another process does
    await eventually(async () => expect((await registered.tokens.findById(id))?.revokedAt).toBeInstanceOf(Date));
  });

  it('keeps no tokens in memory unless it is asked to', async () => {
    await using registered = registerMongo(globalContainer.createChildContainer(), { db });
    await db.collection<{ _id: string }>('users').insertOne({ _id: 'zoe' });
    const { id } = await registered.tokens.issue('zoe');
    for (let time = 0; time < 2; time += 1) {
      commands();
      await registered.tokens.findById(id);
      expect(commands()).toContain('aggregate');
    }
  });

  it.each([
    [globalContainer.createChildContainer(), { db, feed: 'yes' }],
    [undefined, { db }],
    [{}, { db }],
    [globalContainer.createChildContainer(), undefined],
    [globalContainer.createChildContainer(), {}],
    [globalContainer.createChildContainer(), { db, timeoutMs: 0 }],
    [globalContainer.createChildContainer(), { db, tokens: { users: { collection: 'accounts' } } }],
  ])('refuses what is no container, database or option with a TypeError', (container, options) => {
    expect(() => registerMongo(container as never, options as never)).toThrow(TypeError);
  });
});
