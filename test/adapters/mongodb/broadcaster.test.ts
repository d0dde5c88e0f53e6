import { inspect } from 'node:util';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { container } from '../../../entries/index.js';
import { ensureIndexes, MongoBroadcaster, registerMongo } from '../../../entries/mongodb.js';
import { broadcasterContract, TestClock } from '../../../entries/testing.js';
import { listenTo } from '../../../testing/contracts/broadcast-listener.js';
import { eventually } from '../../support/eventually.js';
import { type Mongod, startMongod } from '../../support/mongod.js';
import { describeOnMongo, openDatabase } from './mongo.js';

describeOnMongo('MongoBroadcaster', () => {
  const { db, commands } = openDatabase();
  const timeoutMs = 20_000; // the machine may be busy

  const create = () => {
    const node = () => new MongoBroadcaster(db, { timeoutMs });
    return { nodes: [node(), node(), node()] as const, timeoutMs };
  };
  for (const { name, run } of broadcasterContract({ create })) it(name, run);

  it('writes the messages of one turn together, and reads none of its own', async () => {
    const broadcaster = new MongoBroadcaster(db, { timeoutMs });
    commands();
    await Promise.all(Array.from({ length: 300 }, (_, index) => broadcaster.publish('lobby', String(index))));
    expect(commands().filter((name) => name === 'insert').length).toBeLessThanOrEqual(2);
  });

  it('tells of a gap when its collection is dropped, and goes on', async () => {
    const options = { collection: 'dropped', timeoutMs };
    await using listener = await listenTo(new MongoBroadcaster(db, options), timeoutMs);
    const sender = new MongoBroadcaster(db, options);
    await sender.publish('lobby', 'before');
    await listener.until((heard) => heard.length === 1, 'The message did not arrive');
    await db.collection('dropped').drop();
    await listener.until((_, gaps) => gaps > 0, 'The gap was not told');
    await eventually(async () => {
      await sender.publish('lobby', 'after');
      expect(listener.heard.at(-1)?.data).toBe('after');
    });
  });

  const message = (number: number, others = {}) => ({
    sender: 'x',
    number,
    group: 'lobby',
    data: String(number),
    at: new Date(),
    ...others,
  });

  it('tells of a gap where a number is missing, and passes over what comes twice', async () => {
    const options = { collection: 'numbers', timeoutMs };
    await using listener = await listenTo(new MongoBroadcaster(db, options), timeoutMs);
    for (const each of [message(1), message(1), message(3), message(2), message(4, { group: '' }), message(5)]) {
      await db.collection('numbers').insertOne(each);
    }
    await listener.until((heard) => heard.at(-1)?.data === '5', 'The messages did not arrive');
    expect(listener.heard.map(({ data }) => data)).toEqual(['1', '3', '5']);
    expect(listener.gaps).toBe(1);
  });

  it.each([
    ['something else', { odd: true }],
    ['data of another type', message(2, { data: 7 })],
    ['another sender', message(2, { sender: { id: 'x' } })],
    ['no number', message(2, { number: 'two' })],
  ])('tells of a gap where a document has %s, as a newer version may write it, and goes on', async (what, document) => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const collection = `odd: ${what}`;
    const clock = new TestClock();
    await using listener = await listenTo(new MongoBroadcaster(db, { collection, clock }), timeoutMs);
    for (const each of [message(1), document, { ...document }, message(3)]) await db.collection(collection).insertOne({ ...each });
    await listener.until((heard) => heard.at(-1)?.data === '3', 'The messages did not arrive');
    expect(listener.heard.map(({ data }) => data)).toEqual(['1', '3']);
    expect(listener.gaps).toBe(1);
    await clock.advance(5_000);
    expect(listener.gaps).toBe(2); // the other one was heard after it
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it('tells nothing of what was said where the database refuses it', async () => {
    await db.createCollection('strict', { validator: { group: 'none' } });
    const broadcaster = new MongoBroadcaster(db, { collection: 'strict', timeoutMs });
    const error: unknown = await broadcaster.publish('lobby', 'what was said').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect(`${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error)}`).not.toContain('what was said');
  });

  it('refuses what no document holds, and what is too much, and tells the others', async () => {
    const options = { collection: 'large', timeoutMs };
    const sender = new MongoBroadcaster(db, options);
    await using listener = await listenTo(new MongoBroadcaster(db, options), timeoutMs);
    await sender.publish('lobby', 'before');
    await expect(sender.publish('lobby', 'x'.repeat(16 * 1_024 * 1_024))).rejects.toMatchObject({ code: 'ERR_BROADCAST_FAILED' });
    await listener.until((_, gaps) => gaps === 1, 'The gap was not told');
    const small = new MongoBroadcaster(db, { ...options, maxPendingBytes: 1 });
    const results = await Promise.allSettled([small.publish('lobby', 'one'), small.publish('lobby', 'two')]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    await listener.until((_, gaps) => gaps === 2, 'The gap was not told');
  });

  it('tells the others of what it could not send also after all had left it and somebody came back', async () => {
    const options = { collection: 'left', timeoutMs };
    const sender = new MongoBroadcaster(db, options);
    const subscribe = () =>
      sender.subscribe(
        () => {},
        () => {},
      );
    await (await subscribe())[Symbol.asyncDispose]();
    await using _ = await subscribe();
    await using listener = await listenTo(new MongoBroadcaster(db, options), timeoutMs);
    await sender.publish('lobby', 'before');
    await expect(sender.publish('lobby', 'x'.repeat(16 * 1_024 * 1_024))).rejects.toMatchObject({ code: 'ERR_BROADCAST_FAILED' });
    await listener.until((_, gaps) => gaps === 1, 'The gap was not told');
  });

  it('has a TTL index, and is registered in a container with its options', async () => {
    await ensureIndexes(db, { broadcasts: { collection: 'messages' }, feed: false });
    const indexes = await db.collection('messages').listIndexes().toArray();
    expect(indexes).toContainEqual(expect.objectContaining({ key: { at: 1 }, expireAfterSeconds: 60 }));
    const child = container.createChildContainer();
    await using registered = registerMongo(child, { db, broadcasts: { collection: 'messages' }, feed: false });
    expect(child.resolve(MongoBroadcaster)).toBe(registered.broadcaster);
    await registered.broadcaster.publish('lobby', 'text');
    expect(await db.collection('messages').countDocuments()).toBe(1);
  });

  it.each([{ collection: '' }, { maxPendingBytes: 0 }, { timeoutMs: 0 }, { clock: {} }, { ttlMs: 1 }, 7])(
    'refuses the options %j with a TypeError',
    (options) => {
      expect(() => new MongoBroadcaster(db, options as never)).toThrow(TypeError);
    },
  );

  describe('on a database that comes and goes', () => {
    let mongod: Mongod;
    let client: MongoClient;
    let own: Db;
    beforeAll(async () => {
      mongod = await startMongod();
      client = new MongoClient(mongod.url, { serverSelectionTimeoutMS: 100, retryWrites: false });
      await eventually(() => client.connect());
      own = client.db('chat');
    });
    afterAll(async () => {
      await client.close();
      await mongod.stop();
    });

    const createThere = () => {
      const node = () => new MongoBroadcaster(own, { timeoutMs: 20_000 });
      const interrupt = async (meanwhile: () => Promise<void>): Promise<void> => {
        await mongod.kill();
        await meanwhile();
        await mongod.restart();
      };
      return { nodes: [node(), node(), node()] as const, interrupt, timeoutMs: 40_000 };
    };
    for (const { name, run } of broadcasterContract({ create: createThere })) {
      if (name.startsWith('what may have been missed')) it(name, run);
    }

    it('tells that it is not heard any more, and when it is again', async () => {
      const told: string[] = [];
      await using _subscription = await new MongoBroadcaster(own, { timeoutMs }).subscribe(
        () => undefined,
        () => undefined,
        { failed: () => told.push('failed'), restored: () => told.push('restored') },
      );
      await mongod.kill();
      await eventually(() => expect(told).toContain('failed'));
      await mongod.restart();
      await eventually(() => expect(told.at(-1)).toBe('restored'));
    });
  });
});
