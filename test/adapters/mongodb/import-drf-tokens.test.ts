import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { type Collection, Long, ObjectId } from 'mongodb';
import { beforeEach, expect, it, vi } from 'vitest';
import { importDrfTokens, MongoTokenRepository } from '../../../entries/mongodb.js';
import { TestClock } from '../../../entries/testing.js';
import { tokenIdOf } from '../../../src/token-id.js';
import { eventually } from '../../support/eventually.js';
import { describeOnMongo, openDatabase } from './mongo.js';

const newKey = () => randomBytes(20).toString('hex');

describeOnMongo('importDrfTokens', () => {
  const { client, db } = openDatabase();
  const from = 'authtoken_token';
  const keepingUp = { from, keepUp: true, timeoutMs: 20_000 } as const; // the stream of a database that was just dropped is slow to open
  const source = db.collection(from);
  const users = db.collection<{ _id: unknown }>('users');
  const tokens = new MongoTokenRepository(db, { clock: new TestClock(Date.now()) });
  const userOf = async (key: string) => (await tokens.findById(tokenIdOf(key)))?.user?.id;
  const isLive = async (key: string) => {
    const grant = await tokens.findById(tokenIdOf(key));
    return grant !== undefined && grant.revokedAt === undefined;
  };

  let ada = new ObjectId();
  let key = newKey();

  beforeEach(async () => {
    await db.dropDatabase();
    ada = new ObjectId();
    key = newKey();
    await users.insertMany([{ _id: ada }, { _id: 7 }, { _id: 'bob' }, { _id: Long.fromString('9007199254740993') }]);
    await source.insertOne({ key, user_id: ada, created: new Date('2020-01-02T03:04:05Z') });
  });

  it('makes the keys of the site work, for users of any kind of key, and keeps none of them', async () => {
    const keys = [newKey(), newKey(), newKey()] as const;
    await source.insertMany([
      { key: keys[0], user_id: 7, created: '2020-01-02T03:04:05.000006+00:00' },
      { key: keys[1], user_id: 'bob' },
      { key: keys[2], user_id: Long.fromString('9007199254740993'), created: 'some day' },
    ]);
    expect(await importDrfTokens(db, { from })).toMatchObject({ imported: 4, revoked: 0, skipped: 0 });
    expect(await userOf(key)).toBe(ada.toHexString());
    expect(await Promise.all(keys.map(userOf))).toEqual(['7', 'bob', '9007199254740993']);
    const stored = JSON.stringify(await db.collection('tokens').find().toArray());
    for (const each of [key, ...keys]) expect(stored).not.toContain(each);
    expect(await db.collection('tokens').distinct('importedFrom')).toEqual([from]);
    expect((await tokens.listOf(ada.toHexString()))[0]?.createdAt).toEqual(new Date('2020-01-02T03:04:05Z'));
    const [withoutDate] = await tokens.listOf('9007199254740993');
    expect(withoutDate?.createdAt.getTime()).toBeGreaterThan(Date.UTC(2020, 0, 3)); // since when it was imported
  });

  it('may be run again: what is there stays as it is, what was deleted at its source is revoked', async () => {
    const other = newKey();
    await source.insertOne({ key: other, user_id: 7 });
    await importDrfTokens(db, { from: source });
    expect(await importDrfTokens(db, { from })).toMatchObject({ imported: 0, revoked: 0, skipped: 0 });
    await source.deleteOne({ key: other });
    expect(await importDrfTokens(db, { from })).toMatchObject({ imported: 0, revoked: 1, skipped: 0 });
    expect(await isLive(other)).toBe(false);
    expect(await isLive(key)).toBe(true);
  });

  it('revokes what was deleted at its source also where another program has written null for when it was revoked', async () => {
    await importDrfTokens(db, { from });
    await db.collection('tokens').updateMany({}, { $set: { revokedAt: null } });
    await source.deleteOne({ key });
    expect(await importDrfTokens(db, { from })).toMatchObject({ revoked: 1 });
    expect(await isLive(key)).toBe(false);
  });

  it('brings no token back to life that was revoked here', async () => {
    await importDrfTokens(db, { from });
    expect(await tokens.revoke(tokenIdOf(key))).toBe(true);
    await importDrfTokens(db, { from });
    expect(await isLive(key)).toBe(false);
    // it must never be removed, or the next import would not know it any more
    expect(await db.collection<{ _id: string }>('tokens').findOne({ _id: tokenIdOf(key) })).not.toHaveProperty('removeAt');
  });

  it('leaves tokens alone that were issued here', async () => {
    const issued = await tokens.issue('bob');
    await source.deleteMany({});
    await source.insertOne({ key: newKey(), user_id: 7 });
    expect(await importDrfTokens(db, { from })).toMatchObject({ imported: 1, revoked: 0 });
    expect(await isLive(issued.key)).toBe(true);
  });

  it('passes over what is no token, and takes a source whose _id is the key', async () => {
    const asId = newKey();
    await source.insertMany([
      { key: 'short', user_id: 7 },
      { key: newKey() },
      { key: newKey(), user_id: null },
      { key: newKey(), user_id: { $ref: 'users' } },
      { user_id: 7 },
      { _id: asId as never, user_id: 7 },
    ]);
    expect(await importDrfTokens(db, { from })).toMatchObject({ imported: 2, skipped: 5 });
    expect(await userOf(asId)).toBe('7');
    expect(JSON.stringify(await db.collection('tokens').find().toArray())).not.toContain(asId);
  });

  it('takes more tokens than fit into one batch, and another database as source', async () => {
    const elsewhere: Collection = client.db(`${db.databaseName}-2`).collection(from);
    const keys = Array.from({ length: 2_300 }, newKey);
    await elsewhere.insertMany(keys.map((each) => ({ key: each, user_id: 7 })));
    expect(await importDrfTokens(db, { from: elsewhere, collection: 'keys' })).toMatchObject({ imported: 2_300 });
    expect(await db.collection('keys').distinct('importedFrom')).toEqual([elsewhere.namespace]);
    await elsewhere.deleteMany({ key: { $in: keys.slice(0, 1_100) } });
    expect(await importDrfTokens(db, { from: elsewhere, collection: 'keys' })).toMatchObject({ imported: 0, revoked: 1_100 });
    await elsewhere.db.dropDatabase();
  });

  it('refuses a source that is not there: nobody is logged out by a collection that was dropped', async () => {
    await importDrfTokens(db, { from });
    await source.drop();
    await expect(importDrfTokens(db, { from })).rejects.toThrow(from);
    expect(await isLive(key)).toBe(true);
    await expect(importDrfTokens(db, keepingUp)).rejects.toThrow(from);
  });

  it('keeps up with tokens that are issued, changed and deleted at their source', async () => {
    const onError = vi.fn();
    await using kept = await importDrfTokens(db, { ...keepingUp, onError });
    expect(kept).toMatchObject({ imported: 1, revoked: 0, skipped: 0 });
    const [issued, asId, changed] = [newKey(), newKey(), newKey()];
    await source.insertMany([
      { key: issued, user_id: 7 },
      { _id: asId as never, user_id: 'bob' },
      { key: 'no token', user_id: 7 },
    ]);
    await eventually(async () => expect([await userOf(issued), await userOf(asId)]).toEqual(['7', 'bob']));
    await source.deleteMany({ $or: [{ key: issued }, { _id: asId as never }] });
    await eventually(async () => expect([await isLive(issued), await isLive(asId)]).toEqual([false, false]));
    await source.updateOne({ key }, { $set: { key: changed } });
    await eventually(async () => expect([await isLive(key), await userOf(changed)]).toEqual([false, ada.toHexString()]));
    await source.updateOne({ key: changed }, { $set: { user_id: 7 } });
    await eventually(async () => expect(await userOf(changed)).toBe('7'));
    await source.replaceOne({ key: changed }, { key: changed, user_id: ada });
    await eventually(async () => expect(await userOf(changed)).toBe(ada.toHexString()));
    await source.updateOne({ key: changed }, { $unset: { key: '' } });
    await eventually(async () => expect(await isLive(changed)).toBe(false));
    // issued and deleted before anybody could look
    const brief = await source.insertOne({ key: newKey(), user_id: 7 });
    await source.deleteOne({ _id: brief.insertedId });
    expect(onError).not.toHaveBeenCalled();
  });

  it('revokes the token of the document that was deleted or changed and no other, whatever its _id is', async () => {
    const ids = [null, false, 0, '', 'uuid-0001-0001-0001', '4ac18618b19f1f03dc9055a4f13bddc04c0cf8bf', { a: null }, new Date(0)];
    const keys = ids.map(newKey);
    const asId = newKey();
    // the driver's own insert makes an ObjectId of null
    await db.command({ insert: from, documents: ids.map((_id, index) => ({ _id, key: keys[index], user_id: 7 })) });
    await source.insertOne({ _id: asId as never, user_id: 7 });
    await using kept = await importDrfTokens(db, keepingUp);
    expect(kept).toMatchObject({ imported: ids.length + 2, skipped: 0 });
    for (const [index, _id] of ids.entries()) {
      if (index % 2 === 0) await source.deleteOne({ _id: { $eq: _id as never } });
      else await source.updateOne({ _id: { $eq: _id as never } }, { $set: { key: newKey() } });
      await eventually(async () => expect([_id, await isLive(keys[index]!)]).toEqual([_id, false]));
      expect(await Promise.all(keys.slice(index + 1).map(isLive))).not.toContain(false);
      expect([await isLive(asId), await isLive(key)]).toEqual([true, true]);
    }
  });

  it('makes no token of what is no key and no user', async () => {
    const badKeys = [7, null, { $ne: null }, [newKey()], new ObjectId(), Buffer.alloc(20)];
    const badUsers = [null, undefined, '', 1.5, Number.NaN, Number.POSITIVE_INFINITY, true, { $ne: null }, ['bob'], new Date()];
    await source.deleteMany({});
    await source.insertMany([
      ...badKeys.map((each) => ({ key: each, user_id: 7 })),
      ...badUsers.map((each) => ({ key: newKey(), user_id: each })),
      { _id: '123e4567-e89b-12d3-a456-426614174000' as never, user_id: 7 },
    ]);
    expect(await importDrfTokens(db, { from })).toMatchObject({ imported: 0, skipped: badKeys.length + badUsers.length + 1 });
  });

  it('gives a key that several documents have to the user of the first one, each time it is run', async () => {
    await source.insertMany([
      { key, user_id: 7 },
      { key, user_id: 'bob' },
    ]);
    expect(await importDrfTokens(db, { from })).toMatchObject({ imported: 1, skipped: 2 });
    expect(await importDrfTokens(db, { from })).toMatchObject({ imported: 0, revoked: 0, skipped: 2 });
    expect(await userOf(key)).toBe(ada.toHexString());
  });

  it('takes a view whose documents have no _id', async () => {
    const keys = [newKey(), newKey()];
    await source.insertMany(keys.map((each) => ({ key: each, user_id: 7 })));
    await db.createCollection('view', { viewOn: from, pipeline: [{ $project: { _id: 0 } }] });
    expect(await importDrfTokens(db, { from: 'view' })).toMatchObject({ imported: 3, skipped: 0 });
    await source.deleteOne({ key: keys[0] });
    expect(await importDrfTokens(db, { from: 'view' })).toMatchObject({ imported: 0, revoked: 1 });
    expect(await Promise.all(keys.map(isLive))).toEqual([false, true]);
  });

  it('leaves a key with the user of the document that gave it first, and revokes it with that', async () => {
    const kept = await importDrfTokens(db, keepingUp);
    const last = newKey();
    await source.insertOne({ key, user_id: 7 });
    await source.insertOne({ key: last, user_id: 7 });
    await eventually(async () => expect(await isLive(last)).toBe(true));
    expect(await userOf(key)).toBe(ada.toHexString());
    await kept.close();
    expect(await importDrfTokens(db, { from })).toMatchObject({ imported: 0, revoked: 0, skipped: 1 });
    await source.deleteOne({ user_id: ada });
    expect(await importDrfTokens(db, { from })).toMatchObject({ imported: 0, revoked: 1, skipped: 1 });
    expect([await userOf(key), await isLive(key)]).toEqual([ada.toHexString(), false]);
  });

  it('keeps the token of a user whose document was written anew under another _id', async () => {
    await importDrfTokens(db, { from });
    await source.deleteMany({});
    await source.insertOne({ key, user_id: ada });
    expect(await importDrfTokens(db, { from })).toMatchObject({ imported: 0, revoked: 0, skipped: 0 });
    expect(await isLive(key)).toBe(true);
  });

  it('ends keeping up when it is closed', async () => {
    const kept = await importDrfTokens(db, keepingUp);
    await kept.close();
    await kept.close();
    await using _another = await importDrfTokens(db, { ...keepingUp, collection: 'others' });
    const late = newKey();
    await source.insertOne({ key: late, user_id: 7 });
    const others = db.collection<{ _id: string }>('others');
    await eventually(async () => expect(await others.findOne({ _id: tokenIdOf(late) })).not.toBeNull());
    expect(await isLive(late)).toBe(false);
    await (await importDrfTokens(db, { from })).close(); // which keeps up with nothing
  });

  it('reports what interrupts it, and takes it up again', async () => {
    const clock = new TestClock(Date.now());
    const interruptions = new EventEmitter();
    const onError = (error: unknown): void => {
      interruptions.emit('one', error);
      throw new Error('whoever listens');
    };
    // the clock is moved on for the pauses between attempts: no operation is to run out of time by it
    await using _kept = await importDrfTokens(db, { from, keepUp: true, onError, clock, timeoutMs: 2_000_000_000 });
    const dropped = once(interruptions, 'one');
    await source.drop();
    await dropped;
    let missing = false;
    interruptions.once('one', () => {
      missing = true;
    });
    await eventually(async () => {
      await clock.advance(1_000);
      expect(missing).toBe(true);
    });
    const again = newKey();
    await source.insertOne({ key: again, user_id: 7 });
    await eventually(async () => {
      await clock.advance(30_000);
      expect([await isLive(again), await isLive(key)]).toEqual([true, false]);
    });
  });

  it('warns of an interruption where nobody listens, and can be closed while it waits', async () => {
    const kept = await importDrfTokens(db, { from, keepUp: true, clock: new TestClock(Date.now()) });
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    await source.drop();
    await eventually(() => expect(warn).toHaveBeenCalledWith(expect.stringContaining('Django'), 'WsWithWarning'));
    await kept.close();
  });

  it.each([
    {},
    { from: '' },
    { from: 7 },
    { from, collection: '' },
    { from, onError: 'log' },
    { from, timeoutMs: 0 },
    { from, keepUp: 'yes' },
    undefined,
  ])('refuses %o with a TypeError', async (options) => {
    await expect(importDrfTokens(db, options as never)).rejects.toThrow(TypeError);
  });
});
