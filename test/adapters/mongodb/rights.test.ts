import { inspect } from 'node:util';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  ensureIndexes,
  importDrfTokens,
  MongoBroadcaster,
  MongoRevocationFeed,
  MongoSessionStore,
  MongoTicketStore,
  MongoTokenRepository,
} from '../../../entries/mongodb.js';
import type { StoredSession } from '../../../src/contracts/session-store.js';
import { type Mongod, startMongod } from '../../support/mongod.js';
import { describeOnMongo, openDatabase } from './mongo.js';

const timeoutMs = 20_000; // the machine may be busy
const id = '5'.repeat(64);
const secret = 'in-the-session';

function session(differences: Partial<StoredSession> = {}): StoredSession {
  return { version: 1, data: { secret }, createdAt: new Date(1_000), expiresAt: new Date(Date.now() + 3_600_000), ...differences };
}

/** All that an error may tell to a log. */
function toldBy(error: unknown): string {
  return `${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error)} ${String((error as Error).stack)}`;
}

describeOnMongo('A user of the database', () => {
  let server: Mongod;
  let root: MongoClient;
  const clients: MongoClient[] = [];

  beforeAll(async () => {
    server = await startMongod({ hasUsers: true });
    root = await MongoClient.connect(server.url);
    await root.db('chat').collection<{ _id: string }>('users').insertOne({ _id: 'for-whom' });
    await root
      .db('chat')
      .collection('authtoken_token')
      .insertOne({ key: 'a'.repeat(40), user_id: 'for-whom' });
    await ensureIndexes(root.db('chat'), { timeoutMs });
  }, 60_000);
  afterAll(async () => {
    for (const client of [root, ...clients]) await client?.close();
    await server?.stop();
  });

  type Privileges = Readonly<Record<string, readonly string[]>>;
  /** The database as a user has it who may do so much, by collection; the empty name stands for all of them. */
  async function databaseOf(name: string, privileges: Privileges): Promise<Db> {
    const granted = Object.entries(privileges).map(([collection, actions]) => ({
      resource: { db: 'chat', collection },
      actions: [...actions],
    }));
    await root.db('chat').command({ createRole: name, privileges: granted, roles: [] });
    await root.db('chat').command({ createUser: name, pwd: name, roles: [name] });
    const client = new MongoClient(server.url, { auth: { username: name, password: name }, authSource: 'chat' });
    clients.push(client);
    return client.db('chat');
  }

  it('who may do what the documentation says, and nothing else, can use everything', async () => {
    const documents = ['find', 'insert', 'update', 'remove'];
    const db = await databaseOf('least', {
      '': ['find', 'changeStream'],
      tokens: [...documents, 'listIndexes'],
      channelSessions: documents,
      tickets: documents,
      revocations: ['insert'],
      broadcasts: ['insert'],
      authtoken_token: ['find'],
    });
    const tokens = new MongoTokenRepository(db, { maxPerUser: 2, timeoutMs });
    const token = await tokens.issue('for-whom', { ttlMs: 60_000 });
    await tokens.extend(token.id, { ttlMs: 120_000 });
    await tokens.rotate(token.id, { graceMs: 1_000 });
    expect((await tokens.findById(token.id))?.user?.id).toBe('for-whom');
    expect(await tokens.revokeAllOf('for-whom')).toBe(2);
    await tokens.close();
    expect(await importDrfTokens(db, { from: 'authtoken_token' })).toMatchObject({ imported: 1 });
    const store = new MongoSessionStore(db, { timeoutMs });
    await store.create(id, session());
    await store.save(id, session({ version: 2 }), 1);
    await store.destroy(id);
    const tickets = new MongoTicketStore(db, { timeoutMs });
    expect(await tickets.consume(await tickets.issue({ userId: 'ada' }, 10_000))).toEqual({ userId: 'ada' });
    const ignore = (): void => undefined;
    const feed = new MongoRevocationFeed(db, { timeoutMs });
    const broadcaster = new MongoBroadcaster(db, { timeoutMs });
    for (const one of [feed, broadcaster]) await (await one.subscribe(ignore, ignore))[Symbol.asyncDispose]();
    await feed.publish({ userId: 'ada' });
    await broadcaster.publish('lobby', 'hello');
  });

  it('who may not make the index of maxPerUser is refused where there is none', async () => {
    const db = await databaseOf('unlimited', { users: ['find'], others: ['find', 'insert', 'update', 'listIndexes'] });
    const tokens = new MongoTokenRepository(db, { collection: 'others', maxPerUser: 2, timeoutMs });
    await expect(tokens.issue('for-whom')).rejects.toMatchObject({ code: 13 });
    expect(await root.db('chat').collection('others').countDocuments()).toBe(0);
  });

  it('who may do nothing is told so, and no log what is in a session, or for whom a token or ticket is', async () => {
    const db = await databaseOf('nobody', {});
    const store = new MongoSessionStore(db, { timeoutMs });
    const tokens = new MongoTokenRepository(db, { timeoutMs });
    const ignore = (): void => undefined;
    const failing: readonly (readonly [command: string, run: () => Promise<unknown>])[] = [
      ['update on channelSessions', () => store.create(id, session())],
      ['update on channelSessions', () => store.save(id, session({ version: 2 }), 1)],
      ['update on channelSessions', () => store.touch(id, new Date())],
      ['find on channelSessions', () => store.load(id)],
      ['insert on tickets', () => new MongoTicketStore(db, { timeoutMs }).issue({ userId: 'for-whom' }, 10_000)],
      ['aggregate on users', () => tokens.issue('for-whom')],
      ['update on tokens', () => tokens.revokeAllOf('for-whom')],
      ['insert on revocations', () => new MongoRevocationFeed(db, { timeoutMs }).publish({ userId: 'for-whom' })],
      ['aggregate on broadcasts', () => new MongoBroadcaster(db, { timeoutMs }).subscribe(ignore, ignore)],
      ['insert on broadcasts', () => new MongoBroadcaster(db, { timeoutMs }).publish('lobby', secret)],
    ];
    for (const [command, run] of failing) {
      const error: unknown = await run().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 13, message: `not authorized on chat to execute command ${command}` });
      for (const hidden of [secret, 'for-whom', id]) expect(toldBy(error)).not.toContain(hidden);
    }
  });
});

describeOnMongo('A collection with a schema', () => {
  const { db } = openDatabase();

  it('that refuses a session has no error tell what is in it', async () => {
    await db.createCollection('channelSessions', { validator: { $jsonSchema: { properties: { data: { maxLength: 2 } } } } });
    const store = new MongoSessionStore(db, { timeoutMs });
    await store.create(id, session({ data: {} }));
    const failing = [() => store.create('6'.repeat(64), session()), () => store.save(id, session({ version: 2 }), 1)];
    for (const run of failing) {
      const error: unknown = await run().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 121, message: 'Document failed validation' });
      expect(toldBy(error)).not.toContain(secret);
    }
  });
});
