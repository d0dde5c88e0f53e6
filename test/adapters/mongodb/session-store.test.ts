import { Decimal128, Long } from 'mongodb';
import { expect, it } from 'vitest';
import { MongoSessionStore } from '../../../entries/mongodb.js';
import type { StoredSession } from '../../../src/contracts/session-store.js';
import { ChannelError } from '../../../src/errors.js';
import { randomSessionId } from '../../../src/session/session-id.js';
import { describeOnMongo, openDatabase } from './mongo.js';

const hourMs = 3_600_000;

/** One for all: a save that gives another one means another record. */
const createdAt = new Date();

function session(data: StoredSession['data'] = {}, version = 1, expiresAt = new Date(Date.now() + hourMs)): StoredSession {
  return { version, data, createdAt, expiresAt };
}

describeOnMongo('A session in MongoDB', () => {
  // whatever the application told its driver about numbers
  const { db, commands } = openDatabase({ promoteLongs: false });
  const store = new MongoSessionStore(db);
  const collection = db.collection<{ _id: string }>('channelSessions');

  it('is loaded, created, saved, touched and destroyed with one command each', async () => {
    const ids = [randomSessionId(), randomSessionId()];
    const [id] = ids as [string];
    await store.load(id);
    commands();
    await store.create(id, session());
    expect(commands()).toEqual(['update']);
    await store.save(id, session({ rooms: ['lobby'] }, 2), 1);
    expect(commands()).toEqual(['update']);
    expect(await store.load(id)).toMatchObject({ version: 2, data: { rooms: ['lobby'] } });
    expect(commands()).toEqual(['find']);
    await store.touchMany(ids, new Date(Date.now() + hourMs));
    expect(commands()).toEqual(['update']);
    await store.destroy(id);
    expect(commands()).toEqual(['delete']);
  });

  it('is loaded beside others with few commands, each as itself: one that is over or unreadable changes nothing of the others', async () => {
    const ids = Array.from({ length: 500 }, randomSessionId);
    const [over, unreadable, missing] = ids.splice(0, 3) as [string, string, string];
    for (const id of [over, unreadable, ...ids]) await store.create(id, session({ id }));
    await collection.updateOne({ _id: over }, { $set: { expiresAt: new Date(0) } });
    await collection.updateOne({ _id: unreadable }, { $set: { data: 'no JSON' } });
    commands();
    const loaded = await Promise.all([over, unreadable, missing, ...ids].map((id) => store.load(id)));
    const sent = commands();
    expect([new Set(sent), sent.length < 5]).toEqual([new Set(['find']), true]);
    expect(loaded.splice(0, 3)).toEqual([undefined, expect.objectContaining({ version: Number.NaN }), undefined]);
    expect(loaded.map((found) => found?.data)).toEqual(ids.map((id) => ({ id })));
  });

  it('is its own for each of those who load it at the same time', async () => {
    const id = randomSessionId();
    await store.create(id, session({ rooms: ['lobby'] }));
    const [one, other] = (await Promise.all([store.load(id), store.load(id)])) as [StoredSession, StoredSession];
    Object.assign(one.data, { rooms: [] });
    one.createdAt.setTime(0);
    expect(other).toMatchObject({ data: { rooms: ['lobby'] }, createdAt });
  });

  it('is destroyed beside others with few commands', async () => {
    const ids = Array.from({ length: 500 }, randomSessionId);
    const [stays, ...others] = ids as [string, ...string[]];
    for (const id of ids) await store.create(id, session());
    commands();
    await Promise.all(others.map((id) => store.destroy(id)));
    const sent = commands();
    expect([new Set(sent), sent.length < 5]).toEqual([new Set(['delete']), true]);
    expect(await collection.countDocuments({ _id: { $in: ids } })).toBe(1);
    expect(await store.load(stays)).toBeDefined();
  });

  it('keeps what a newer version has put beside it, through saves and touches, and a later one of its id does not have it', async () => {
    const id = randomSessionId();
    await store.create(id, session());
    await collection.updateOne({ _id: id }, { $set: { device: 'phone' } });
    await store.save(id, session({}, 2), 1);
    await store.touch(id, new Date(Date.now() + hourMs));
    expect(await collection.findOne({ _id: id })).toMatchObject({ device: 'phone' });
    await collection.updateOne({ _id: id }, { $set: { expiresAt: new Date(0) } });
    await store.create(id, session());
    expect(await collection.findOne({ _id: id })).not.toHaveProperty('device');
  });

  it('is kept as JSON, so that no key or value means anything to the database', async () => {
    const id = randomSessionId();
    const data = { $where: 'sleep(1000)', 'a.b': { $ne: null }, _bsontype: 'ObjectId', '': '\u0000', '\u0000': 1 };
    await store.create(id, session(data));
    expect((await store.load(id))?.data).toEqual(data);
    expect(await collection.findOne({ _id: id })).toMatchObject({ data: JSON.stringify(data) });
  });

  const unreadable: readonly [string, object][] = [
    ['without a version', { $unset: { version: '' } }],
    ['whose version is a string', { $set: { version: '1' } }],
    ['whose version is no integer', { $set: { version: 1.5 } }],
    ['whose version is 0', { $set: { version: 0 } }],
    ['whose version is a decimal', { $set: { version: Decimal128.fromString('1') } }],
    ['whose version is beyond the integers', { $set: { version: Long.MAX_VALUE } }],
    ['without data', { $unset: { data: '' } }],
    ['whose data are no JSON', { $set: { data: '{' } }],
    ['whose data are no object', { $set: { data: '[]' } }],
    ['whose data are null', { $set: { data: 'null' } }],
    ['whose data are a number', { $set: { data: 7 } }],
    ['whose data are a document', { $set: { data: { rooms: [] } } }],
    ['that never expires', { $unset: { expiresAt: '' } }],
    ['whose expiry is a string', { $set: { expiresAt: '2999-01-01' } }],
    ['whose birth is missing', { $unset: { createdAt: '' } }],
    ['whose birth is a number', { $set: { createdAt: 1 } }],
  ];

  async function unreadableId(change: object): Promise<string> {
    const id = randomSessionId();
    await store.create(id, session({ rooms: [] }));
    await collection.updateOne({ _id: id }, change);
    return id;
  }

  it.each(unreadable)('%s is handed to the core, which can tell, and is gone for everybody else', async (_, change) => {
    const id = await unreadableId(change);
    const { version } = (await store.load(id)) as StoredSession;
    expect(Number.isInteger(version)).toBe(false);
    await expect(store.save(id, session({}, 3), 2)).rejects.toBeInstanceOf(ChannelError);
  });

  it.each(unreadable)('%s is replaced by the next creation, in one step: of several at once one succeeds', async (_, change) => {
    const id = await unreadableId(change);
    const creations = await Promise.allSettled(Array.from({ length: 8 }, (_each, writer) => store.create(id, session({ writer }))));
    expect(creations.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const creation of creations)
      if (creation.status === 'rejected') expect(creation.reason).toMatchObject({ code: 'ERR_SESSION_CONFLICT' });
    const writer = creations.findIndex(({ status }) => status === 'fulfilled');
    expect(await store.load(id)).toEqual(session({ writer }, 1, expect.anything() as never));
  });

  it('whose date is beyond what a Date can hold cannot be read, and is replaced', async () => {
    for (const field of ['createdAt', 'expiresAt']) {
      const id = await unreadableId([{ $set: { [field]: { $add: [new Date(8.64e15), 1] } } }]);
      expect(Number.isInteger((await store.load(id))?.version)).toBe(false);
      await expect(store.save(id, session({}, 2), 1)).rejects.toMatchObject({ code: 'ERR_SESSION_GONE' });
      await store.create(id, session());
      expect(await store.load(id)).toMatchObject({ version: 1, createdAt });
    }
  });

  it('that expired by the clock of the database is refused, whatever the process thinks the time is', async () => {
    const id = randomSessionId();
    await store.create(id, session({}, 1, new Date(Date.now() - 1)));
    expect(await store.load(id)).toBeUndefined();
    await expect(store.save(id, session({}, 2), 1)).rejects.toMatchObject({ code: 'ERR_SESSION_GONE' });
    await store.touch(id, new Date(Date.now() + hourMs));
    expect(await store.load(id)).toBeUndefined();
  });

  it('that cannot be stored is refused by the database, and the failure is its own', async () => {
    await db.createCollection('strict', { validator: { version: { $gt: 1 } } });
    const strict = new MongoSessionStore(db, { collection: 'strict' });
    await expect(strict.create(randomSessionId(), session())).rejects.toMatchObject({ code: 121 });
  });

  it.each([{ collection: '' }, { timeoutMs: -1 }, { timeoutMs: 2 ** 31 }, { clock: null }])('is refused a store with %o', (options) => {
    expect(() => new MongoSessionStore(db, options as never)).toThrow(TypeError);
  });

  it('has a store that tells its deadline', () => {
    expect(store.timeoutMs).toBe(3_000);
    expect(new MongoSessionStore(db, { timeoutMs: 500 }).timeoutMs).toBe(500);
  });
});
