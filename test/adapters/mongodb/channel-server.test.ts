import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type ChannelHandlers,
  compose,
  type TokenRepository,
  withAuthenticatedUser,
  withChannelSession,
  withChannelUser,
  withUserFromToken,
} from '../../../entries/index.js';
import { MongoSessionStore, MongoTokenRepository } from '../../../entries/mongodb.js';
import { TestClock } from '../../../entries/testing.js';
import { systemClock } from '../../../src/time/system-clock.js';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { type Mongod, startMongod } from '../../support/mongod.js';
import { type Served, type ServeOptions, serve } from '../../support/serving.js';
import { codesOf } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';
import { describeOnMongo, openDatabase } from './mongo.js';

type Scope = 'channel' | 'client' | 'user';

/** Serves by the time that it is: the database compares the times of sessions with its own clock. No busy machine is too slow for it. */
function serveNow(handlers: ChannelHandlers, options: ServeOptions = {}): Promise<Served> {
  return serve(handlers, { clock: systemClock, connectTimeoutMs: 60_000, ...options });
}

/** A chat that counts: `add` changes the session, anything else only reads it. */
function counting(tokens: TokenRepository, store: MongoSessionStore, scope: Scope = 'channel'): ChannelHandlers {
  return {
    connect: compose(
      withChannelSession({ store, scope }),
      withUserFromToken({ tokens }),
      withAuthenticatedUser,
    )((message) => {
      message.channel.sendJson({ hello: message.user.id, count: message.channelSession.get('count') ?? 0 });
    }),
    receive: withChannelUser((message) => {
      if (message.text === 'add') message.channelSession.update('count', (count) => Number(count ?? 0) + 1);
      message.channel.sendJson({ count: message.channelSession.get('count') ?? 0 });
    }),
  };
}

/** Lets look-ups through once there are `count` of them: on a busy machine those of a storm would not come at once. */
function heldUntilAllAsk(tokens: MongoTokenRepository, count: number): TokenRepository {
  const allAsk = deferred();
  let asked = 0;
  return {
    async findById(id) {
      asked += 1;
      if (asked === count) allAsk.resolve();
      await allAsk.promise;
      return tokens.findById(id);
    },
  };
}

describeOnMongo('A server on MongoDB', () => {
  const { db, commands } = openDatabase();
  // it stands still: no use is written, and nothing runs out of time
  const clock = new TestClock(Date.now());
  const tokens = new MongoTokenRepository(db, { clock });
  const store = new MongoSessionStore(db, { clock });
  const storm = 300;
  let cookies: string[] = [];

  beforeAll(async () => {
    await db.collection<{ _id: string }>('users').insertMany(Array.from({ length: storm }, (_, index) => ({ _id: `user-${index}` })));
    const issued = await Promise.all(Array.from({ length: storm }, (_, index) => tokens.issue(`user-${index}`)));
    cookies = issued.map(({ key }) => `key=${key}`);
  });

  it('asks it once to connect a known token, never for a message that changes nothing, and once for one that does', async () => {
    const { port, channels } = await serveNow(counting(tokens, store));
    commands();
    const client = await WsClient.connect(port, { cookie: cookies[0]! });
    expect(await client.nextJson()).toEqual({ hello: 'user-0', count: 0 });
    expect(commands()).toEqual(['aggregate']);
    client.send('look');
    expect(await client.nextJson()).toEqual({ count: 0 });
    expect(commands()).toEqual([]);
    for (const count of [1, 2, 3]) {
      client.send('add');
      expect(await client.nextJson()).toEqual({ count });
      // the reply leaves before the session is saved; the next message waits for it
      client.send('look');
      await client.next();
      expect(commands()).toEqual(['update']);
    }
    await client.close();
    await eventually(() => expect(channels.channels.size).toBe(0));
    await eventually(() => expect(commands()).toEqual(['delete']));
  });

  it('asks it a few times for hundreds that connect at once, in a process that has not spoken to it yet too', async () => {
    const fresh = openDatabase();
    const freshDb = fresh.client.db(db.databaseName);
    const repository = new MongoTokenRepository(freshDb, { clock });
    for (const state of ['not connected yet', 'connected']) {
      const together = heldUntilAllAsk(repository, storm);
      const { port } = await serve(counting(together, new MongoSessionStore(freshDb, { clock })), { clock });
      const clients = await Promise.all(cookies.map((cookie) => WsClient.connect(port, { cookie })));
      const greetings = await Promise.all(clients.map((each) => each.nextJson()));
      expect(greetings).toEqual(cookies.map((_, index) => ({ hello: `user-${index}`, count: 0 })));
      expect(fresh.commands().length, state).toBeLessThanOrEqual(5);
      for (const each of clients) each.terminate();
      await Promise.all(clients.map((each) => each.closed()));
    }
  }, 60_000);

  it.each(['client', 'user'] as const)(
    'keeps what two servers change in one session of scope %s, and hands it to a third',
    async (scope) => {
      const { key } = await tokens.issue('user-1');
      const cookie = `key=${key}`;
      const servers = await Promise.all([0, 1].map(() => serveNow(counting(tokens, new MongoSessionStore(db, { clock }), scope))));
      const clients = await Promise.all(servers.map(({ port }) => WsClient.connect(port, { cookie })));
      await Promise.all(clients.map((each) => each.next()));
      for (let round = 0; round < 10; round += 1) for (const each of clients) each.send('add');
      await Promise.all(clients.map((each) => each.take(10)));
      for (const each of clients) await each.close();
      await Promise.all(servers.map(({ channels }) => channels.close())); // whose last messages may still be being saved
      expect(servers.flatMap(({ errors }) => codesOf(errors))).toEqual([]);
      const third = await serveNow(counting(tokens, new MongoSessionStore(db, { clock }), scope));
      const reader = await WsClient.connect(third.port, { cookie });
      expect(await reader.nextJson()).toEqual({ hello: 'user-1', count: 20 });
    },
  );

  it('treats a record that it cannot read as absent, says so, and writes a new one', async () => {
    const { key } = await tokens.issue('user-2');
    const cookie = `key=${key}`;
    const served = await serveNow(counting(tokens, store, 'client'));
    const first = await WsClient.connect(served.port, { cookie });
    await first.next();
    first.send('add');
    await first.next();
    await first.close();
    const saved = { version: 1 };
    await eventually(async () => expect(await db.collection('channelSessions').countDocuments(saved)).toBe(1));
    await db.collection('channelSessions').updateMany(saved, { $unset: { version: '' } });
    const second = await WsClient.connect(served.port, { cookie });
    expect(await second.nextJson()).toEqual({ hello: 'user-2', count: 0 });
    expect(codesOf(served.errors)).toEqual(['ERR_SESSION_CORRUPT']);
    second.send('add');
    expect(await second.nextJson()).toEqual({ count: 1 });
    second.send('add');
    expect(await second.nextJson()).toEqual({ count: 2 });
  });

  it('refuses tokens that have expired or were revoked, though they are still there', async () => {
    const served = await serveNow(counting(tokens, store), { clock });
    const [expired, revoked] = await Promise.all([tokens.issue('user-3', { ttlMs: 1 }), tokens.issue('user-3')]);
    await tokens.revoke(revoked.id);
    await clock.advance(1);
    for (const { key } of [expired, revoked]) {
      const { refused } = await WsClient.connect(served.port, { cookie: `key=${key}` });
      expect(refused?.status).toBe(401);
    }
  });
});

describeOnMongo('A server whose MongoDB is dead', () => {
  let mongod: Mongod;
  let client: MongoClient;
  let clock: TestClock;
  let tokens: MongoTokenRepository;
  let store: MongoSessionStore;
  let cookie: string;

  beforeAll(async () => {
    mongod = await startMongod();
    client = new MongoClient(mongod.url, { heartbeatFrequencyMS: 1_000 });
    await client.db('test').collection<{ _id: string }>('users').insertOne({ _id: 'ada' });
  }, 60_000);

  afterAll(async () => {
    await client?.close();
    await mongod?.stop();
  });

  beforeEach(async () => {
    clock = new TestClock(Date.now());
    tokens = new MongoTokenRepository(client.db('test'), { clock });
    store = new MongoSessionStore(client.db('test'), { clock });
    cookie = `key=${(await tokens.issue('ada')).key}`;
  });

  /** Lets the deadline of the adapter pass once what `act` does waits for it. */
  async function passDeadlineOf<Result>(act: () => Result): Promise<Result> {
    const before = clock.pendingTimers;
    const result = act();
    await eventually(() => expect(clock.pendingTimers).toBeGreaterThan(before));
    await clock.advance(3_000);
    return result;
  }

  /** What a test that failed has left broken. */
  let mend: (() => Promise<void>) | undefined;

  afterEach(() => mend?.());

  const ways = {
    stopped: { break: () => mongod.pause(), mend: async () => mongod.resume() },
    killed: { break: () => mongod.kill(), mend: () => mongod.restart() },
  };

  async function breakTo(state: keyof typeof ways): Promise<void> {
    await ways[state].break();
    mend = async () => {
      mend = undefined;
      await ways[state].mend();
    };
  }

  // what a driver does with a dead database is one thing, how a client is told another: each is tried with one of the other
  describe.each([
    ['stopped', 'accept'],
    ['killed', 'handleUpgrades'],
  ] as const)('(%s), over %s', (state, mode) => {
    it('turns a known token away with 503 or 1013, never as anonymous, and takes it again without a restart', async () => {
      const served = await serveNow(counting(tokens, store), { mode });
      const first = await WsClient.connect(served.port, { cookie });
      await first.next();
      await breakTo(state);
      const second = await passDeadlineOf(() => WsClient.connect(served.port, { cookie }));
      if (mode === 'accept') expect((await second.closed()).code).toBe(1013);
      else expect(second.refused).toMatchObject({ status: 503, headers: { 'retry-after': expect.any(String) } });
      expect(second.received).toEqual([]);
      expect(codesOf(served.errors)).toEqual(['ERR_LOOKUP_FAILED']);
      await mend?.();
      const third = await WsClient.connect(served.port, { cookie });
      expect(await third.nextJson()).toEqual({ hello: 'ada', count: 0 });
      expect(served.channels.channels.size).toBe(2);
    });

    it('closes a channel whose session cannot be saved with 1011, and tells of it', async () => {
      const served = await serveNow(counting(tokens, store), { mode });
      const first = await WsClient.connect(served.port, { cookie });
      await first.next();
      await breakTo(state);
      await passDeadlineOf(() => first.send('add'));
      expect((await first.closed()).code).toBe(1011);
      expect(codesOf(served.errors)).toEqual(['ERR_SESSION_SAVE_FAILED']);
      await mend?.();
      const second = await WsClient.connect(served.port, { cookie });
      await second.next();
      second.send('add');
      expect(await second.nextJson()).toEqual({ count: 1 });
    });
  });
});
