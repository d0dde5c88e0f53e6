import { randomUUID } from 'node:crypto';
import { MongoClient, ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MongoRevocationFeed, MongoTokenRepository } from '../../../entries/mongodb.js';
import { type RevocationFeedFixture, revocationFeedContract } from '../../../entries/testing.js';
import type { AuthenticatedUser } from '../../../src/users.js';
import { listen } from '../../../testing/contracts/feed-listener.js';
import { type Mongod, startMongod } from '../../support/mongod.js';
import { describeOnMongo, openDatabase } from './mongo.js';

describeOnMongo('MongoRevocationFeed', () => {
  const { db } = openDatabase();
  const users = db.collection('users');
  const tokens = new MongoTokenRepository<AuthenticatedUser>(db, { timeoutMs: 20_000 }); // a hundred at once, on a busy machine
  const httpSessions = db.collection<{ _id: string }>('sessions');

  async function addUser(): Promise<string> {
    return String((await users.insertOne({ name: 'somebody' })).insertedId);
  }

  async function issueToken(): Promise<Awaited<ReturnType<typeof tokens.issue>>> {
    return tokens.issue(await addUser());
  }

  function fixture(): RevocationFeedFixture {
    return {
      feed: new MongoRevocationFeed(db, { httpSessions: 'sessions' }),
      async logIn() {
        const { id } = await issueToken();
        await tokens.findById(id);
        await tokens.flush();
      },
      async revokeToken() {
        const { id } = await issueToken();
        await tokens.revoke(id);
        return id;
      },
      async deleteToken() {
        const { id } = await issueToken();
        await db.collection<{ _id: string }>('tokens').deleteOne({ _id: id });
        return id;
      },
      async disableUser() {
        const id = await addUser();
        await users.updateOne({ _id: new ObjectId(id) }, { $set: { isActive: false } });
        return id;
      },
      async deleteUser() {
        const id = await addUser();
        await users.deleteOne({ _id: new ObjectId(id) });
        return id;
      },
      async destroyHttpSession() {
        const id = randomUUID();
        await httpSessions.insertOne({ _id: id });
        await httpSessions.updateOne({ _id: id }, { $set: { touched: true } });
        await httpSessions.deleteOne({ _id: id });
        return id;
      },
    };
  }

  for (const { name, run } of revocationFeedContract({ create: fixture })) it(name, run);

  it('wakes nobody for changes of fields that are ignored, but for those that change more', async () => {
    await using listener = await listen(new MongoRevocationFeed(db, { ignoredUserFields: ['lastSeenAt'] }));
    const id = await addUser();
    const _id = new ObjectId(id);
    await users.updateOne({ _id }, { $set: { lastSeenAt: new Date() } });
    await users.updateOne({ _id }, { $set: { lastSeenAt: new Date(), isActive: false } });
    await listener.hears((revocation) => 'userId' in revocation && revocation.userId === id);
    expect(listener.heard).toEqual([{ userId: id, hint: true }]);
  });

  it('hints at a token that was extended or shortened', async () => {
    await using listener = await listen(new MongoRevocationFeed(db));
    const { id } = await issueToken();
    await db.collection<{ _id: string }>('tokens').updateOne({ _id: id }, { $set: { expiresAt: new Date() } });
    await listener.hears((revocation) => 'tokenId' in revocation && revocation.tokenId === id && revocation.hint === true);
  });

  it('tells of a gap where users are known by another field and a deleted one left no image', async () => {
    const others = db.collection('members');
    await others.insertOne({ number: 7 });
    await using listener = await listen(new MongoRevocationFeed(db, { users: { collection: 'members', key: 'number' } }));
    await others.updateOne({ number: 7 }, { $set: { name: 'seven' } });
    await listener.hears((revocation) => 'userId' in revocation && revocation.userId === '7' && revocation.hint === true);
    await others.deleteOne({ number: 7 });
    await listener.hearsOrGap(() => false);
  });

  it('tells whose user was deleted where the collection keeps pre-images', async () => {
    const others = await db.createCollection('imaged', { changeStreamPreAndPostImages: { enabled: true } });
    await others.insertOne({ number: 8 });
    await using listener = await listen(new MongoRevocationFeed(db, { users: { collection: 'imaged', key: 'number' } }));
    await others.deleteOne({ number: 8 });
    await listener.hears((revocation) => 'userId' in revocation && revocation.userId === '8');
  });

  it('tells of a gap when a collection that it watches is dropped', async () => {
    await db.collection('sessions-to-drop').insertOne({});
    await using listener = await listen(new MongoRevocationFeed(db, { httpSessions: 'sessions-to-drop' }));
    await db.collection('sessions-to-drop').drop();
    await listener.hearsOrGap(() => false);
  });

  it('refuses options that it cannot use, and callbacks that are no functions', async () => {
    expect(() => new MongoRevocationFeed(db, { tokens: '' })).toThrow(TypeError);
    expect(() => new MongoRevocationFeed(db, { ignoredUserFields: 'lastSeenAt' as unknown as string[] })).toThrow(TypeError);
    await expect(new MongoRevocationFeed(db).subscribe(undefined as never, () => undefined)).rejects.toThrow(TypeError);
  });
});

describe('MongoRevocationFeed, where the database goes away', () => {
  let mongod: Mongod;
  let client: MongoClient;

  beforeAll(async () => {
    mongod = await startMongod();
    client = new MongoClient(mongod.url, { serverSelectionTimeoutMS: 500 });
  }, 60_000);
  afterAll(async () => {
    await client.close();
    await mongod.stop();
  });

  it('misses nothing that is revoked around a restart', async () => {
    const db = client.db('feed');
    const tokens = new MongoTokenRepository<AuthenticatedUser>(db);
    const issue = () => tokens.issue('somebody');
    await using listener = await listen(new MongoRevocationFeed(db));
    const [before, after, later] = [await issue(), await issue(), await issue()];
    await tokens.revoke(before.id);
    await mongod.kill();
    await mongod.restart();
    await tokens.revoke(after.id);
    await tokens.revoke(later.id);
    for (const { id } of [before, after, later])
      await listener.hearsOrGap((revocation) => 'tokenId' in revocation && revocation.tokenId === id);
  }, 60_000);
});
