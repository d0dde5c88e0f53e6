import { randomUUID } from 'node:crypto';
import { ObjectId } from 'mongodb';
import { expect, it } from 'vitest';
import { MongoRevocationFeed, MongoTokenRepository } from '../../../entries/mongodb.js';
import { type RevocationFeedFixture, revocationFeedContract, TestClock } from '../../../entries/testing.js';
import type { Revocation } from '../../../src/contracts/revocation-feed.js';
import type { AuthenticatedUser } from '../../../src/users.js';
import { listen } from '../../../testing/contracts/feed-listener.js';
import { describeOnMongo, openDatabase } from './mongo.js';

describeOnMongo('MongoRevocationFeed', () => {
  const { client, db } = openDatabase();
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

  it('tells of a gap when another collection takes the place of one that it watches', async () => {
    await db.collection('fresh').insertOne({});
    await db.collection('replaced').insertOne({});
    await using listener = await listen(new MongoRevocationFeed(db, { users: { collection: 'replaced' } }));
    await db.collection('fresh').rename('replaced', { dropTarget: true });
    await listener.hearsOrGap(() => false);
  });

  it('tells of a gap when the database is dropped, and goes on', async () => {
    const other = client.db(`${db.databaseName}-dropped`);
    const otherTokens = new MongoTokenRepository<AuthenticatedUser>(other);
    await other.collection<{ _id: string }>('users').insertOne({ _id: 'ada' });
    await using listener = await listen(new MongoRevocationFeed(other));
    await other.dropDatabase();
    await listener.hearsOrGap(() => false);
    await other.collection<{ _id: string }>('users').insertOne({ _id: 'ada' });
    const { id } = await otherTokens.issue('ada');
    await other.collection('users').updateOne({}, { $set: { name: 'Ada' } });
    await otherTokens.revoke(id);
    await listener.hearsOrGap((revocation) => 'tokenId' in revocation && revocation.tokenId === id);
    await other.dropDatabase();
  });

  it('sees changes within fields, and overlooks those within ignored ones', async () => {
    await using listener = await listen(new MongoRevocationFeed(db, { ignoredUserFields: ['presence', '$odd'] }));
    const id = await addUser();
    const _id = new ObjectId(id);
    await users.updateOne({ _id }, { $set: { presence: {} } });
    await users.updateOne({ _id }, { $set: { 'presence.at': new Date(), 'presence.where': ['here'] } });
    await users.updateOne({ _id }, { $push: { 'presence.where': 'there' as never } });
    const { id: tokenId } = await tokens.issue(id, { scopes: ['read', 'write'] });
    await db.collection<{ _id: string; scopes: string[] }>('tokens').updateOne({ _id: tokenId }, { $pop: { scopes: 1 } });
    await listener.hears((revocation) => 'tokenId' in revocation && revocation.tokenId === tokenId);
    await users.updateOne({ _id }, { $set: { 'presences.at': new Date() } });
    await listener.hears((revocation) => 'userId' in revocation && revocation.userId === id);
    expect(listener.heard).toEqual([
      { tokenId, hint: true },
      { userId: id, hint: true },
    ]);
  });

  it('takes a token for revoked though the clock of who revoked it is ahead', async () => {
    await using listener = await listen(new MongoRevocationFeed(db));
    const { id } = await issueToken();
    const ahead = new MongoTokenRepository<AuthenticatedUser>(db, { clock: new TestClock(Date.now() + 5_000) });
    await ahead.revoke(id);
    await listener.hears((revocation) => 'tokenId' in revocation && revocation.tokenId === id);
    expect(listener.heard).toEqual([{ tokenId: id }]);
  });

  it('tells of a gap where a user known by another field gets another key', async () => {
    const others = db.collection('renamed');
    await others.insertOne({ number: 9 });
    await using listener = await listen(new MongoRevocationFeed(db, { users: { collection: 'renamed', key: 'number' } }));
    await others.updateOne({ number: 9 }, { $set: { number: 10 } });
    await listener.hearsOrGap(() => false);
  });

  it('goes on, for old and new subscribers, when a stream breaks while another subscribes', async () => {
    let breakIt: (error: Error) => void = () => undefined;
    const broken = new Promise<never>((_, reject) => {
      breakIt = reject;
    });
    broken.catch(() => undefined);
    let opened = 0;
    const breaking = Object.create(db, {
      watch: {
        value: (...args: Parameters<typeof db.watch>) => {
          const stream = db.watch(...args);
          opened += 1;
          if (opened > 1) return stream;
          const next = stream.next.bind(stream);
          stream.next = () => Promise.race([next(), broken]);
          return stream;
        },
      },
    });
    const feed = new MongoRevocationFeed(breaking);
    await using old = await listen(feed);
    const { id } = await issueToken();
    breakIt(new Error('broken'));
    await tokens.revoke(id);
    await using young = await listen(feed);
    const { id: later } = await issueToken();
    await tokens.revoke(later);
    const isOf = (wanted: string) => (revocation: Revocation) => 'tokenId' in revocation && revocation.tokenId === wanted;
    await old.hears(isOf(id));
    for (const listener of [old, young]) await listener.hears(isOf(later));
    expect(opened).toBe(2);
  });

  it('begins anew for who subscribes when the last one has left', async () => {
    const feed = new MongoRevocationFeed(db);
    for (let round = 0; round < 3; round += 1) {
      const leaving = await listen(feed);
      const left = leaving[Symbol.asyncDispose]();
      await using listener = await listen(feed);
      const { id } = await issueToken();
      await tokens.revoke(id);
      await listener.hears((revocation) => 'tokenId' in revocation && revocation.tokenId === id);
      await left;
    }
  });

  it.each([
    {},
    { tokenId: '' },
    { tokenId: 'a' },
    { userId: { $ne: null } },
    { userId: 'ada', httpSessionId: 'b' },
    { userId: 'ada', issuedBefore: '2026-11-26' },
    { userId: 'ada', issuedBefore: new Date(Number.NaN) },
    null,
  ])('publishes no %o', async (revocation) => {
    await expect(new MongoRevocationFeed(db).publish(revocation as never)).rejects.toThrow(TypeError);
  });

  it('says after how long it gives up', () => {
    expect(new MongoRevocationFeed(db).timeoutMs).toBe(3_000);
    expect(new MongoRevocationFeed(db, { timeoutMs: 500 }).timeoutMs).toBe(500);
  });

  it('refuses options that it cannot use, and callbacks that are no functions', async () => {
    expect(() => new MongoRevocationFeed(db, { tokens: '' })).toThrow(TypeError);
    expect(() => new MongoRevocationFeed(db, { ignoredUserFields: 'lastSeenAt' as unknown as string[] })).toThrow(TypeError);
    expect(() => new MongoRevocationFeed(db, { ignoredUserFields: Array(1) })).toThrow(TypeError);
    await expect(new MongoRevocationFeed(db).subscribe(undefined as never, () => undefined)).rejects.toThrow(TypeError);
  });
});
