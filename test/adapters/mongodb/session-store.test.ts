import { expect, it } from 'vitest';
import { MongoSessionStore } from '../../../entries/mongodb.js';
import type { StoredSession } from '../../../src/contracts/session-store.js';
import { randomSessionId } from '../../../src/session/session-id.js';
import { describeOnMongo, openDatabase } from './mongo.js';

const hourMs = 3_600_000;

/** One for all: a save that gives another one means another record. */
const createdAt = new Date();

function session(data: StoredSession['data'] = {}, version = 1, expiresAt = new Date(Date.now() + hourMs)): StoredSession {
  return { version, data, createdAt, expiresAt };
}

describeOnMongo('A session in MongoDB', () => {
  // Whatever the application told its driver about numbers.
  const { db, commands } = openDatabase({ promoteValues: false, promoteLongs: false });
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

  it('is kept as JSON, so that no key or value means anything to the database', async () => {
    const id = randomSessionId();
    const data = { $where: 'sleep(1000)', 'a.b': { $ne: null }, _bsontype: 'ObjectId', '': '\u0000', '\u0000': 1 };
    await store.create(id, session(data));
    expect((await store.load(id))?.data).toEqual(data);
    expect(await collection.findOne({ _id: id })).toMatchObject({ data: JSON.stringify(data) });
  });

  it.each([
    ['without a version', { $unset: { version: '' } }],
    ['whose data are no JSON', { $set: { data: '{' } }],
    ['whose data are a number', { $set: { data: 7 } }],
    ['whose version is a string', { $set: { version: 'two' } }],
    ['that never expires', { $unset: { expiresAt: '' } }],
  ])('%s is handed to the core, which can tell', async (_, change) => {
    const id = randomSessionId();
    await store.create(id, session({ rooms: [] }));
    await collection.updateOne({ _id: id }, change as never);
    const { version, data, expiresAt } = (await store.load(id)) as StoredSession;
    const readable = Number.isInteger(version) && typeof data === 'object' && data !== null && expiresAt instanceof Date;
    expect(readable).toBe(false);
    await store.destroy(id);
    await store.create(id, session());
    expect(await store.load(id)).toMatchObject({ version: 1 });
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

  it('with an invalid date is a TypeError', async () => {
    const invalid = new Date(Number.NaN);
    await expect(store.create(randomSessionId(), session({}, 1, invalid))).rejects.toThrow(TypeError);
    await expect(store.touch(randomSessionId(), invalid)).rejects.toThrow(TypeError);
    await expect(store.touch(randomSessionId(), 'tomorrow' as never)).rejects.toThrow(TypeError);
  });

  it.each([{ collection: '' }, { timeoutMs: -1 }, { timeoutMs: 2 ** 31 }, { clock: null }])('is refused a store with %o', (options) => {
    expect(() => new MongoSessionStore(db, options as never)).toThrow(TypeError);
  });

  it('has a store that tells its deadline', () => {
    expect(store.timeoutMs).toBe(3_000);
    expect(new MongoSessionStore(db, { timeoutMs: 500 }).timeoutMs).toBe(500);
  });
});
