import { setImmediate as nextTurn } from 'node:timers/promises';
import { MongoClient, type MongoClientOptions } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { MongoSessionStore, MongoTicketStore, MongoTokenRepository, MongoUserRepository } from '../../../entries/mongodb.js';
import { TestClock } from '../../../entries/testing.js';
import type { StoredSession } from '../../../src/contracts/session-store.js';
import { randomSessionId } from '../../../src/session/session-id.js';
import { type TokenId, tokenIdOf } from '../../../src/token-id.js';
import { type Mongod, startMongod } from '../../support/mongod.js';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js';
import { describeOnMongo } from './mongo.js';

const timeoutMs = 3_000;

const createdAt = new Date();

function session(version = 1, data: StoredSession['data'] = {}): StoredSession {
  return { version, data, createdAt, expiresAt: new Date(Date.now() + 3_600_000) };
}

describeOnMongo('Where MongoDB is dead, all that is asked of it', () => {
  let mongod: Mongod;
  let proxy: TcpProxy;
  let client: MongoClient;
  let clock: TestClock;
  let tokens: MongoTokenRepository;
  let users: MongoUserRepository;
  let sessions: MongoSessionStore;
  let tickets: MongoTicketStore;
  let tokenId: TokenId;
  let sessionId: string;

  /** Through the proxy, with what the guide tells for a quick recovery. */
  function connectThroughProxy(options: MongoClientOptions = {}): void {
    client = new MongoClient(`mongodb://127.0.0.1:${proxy.port}`, {
      directConnection: true,
      connectTimeoutMS: 1_000,
      heartbeatFrequencyMS: 1_000,
      ...options,
    });
    clock = new TestClock(Date.now());
    tokens = new MongoTokenRepository(client.db('test'), { clock });
    users = new MongoUserRepository(client.db('test'), { clock });
    sessions = new MongoSessionStore(client.db('test'), { clock });
    tickets = new MongoTicketStore(client.db('test'), { clock });
  }

  beforeAll(async () => {
    mongod = await startMongod();
  }, 60_000);

  afterAll(() => mongod?.stop());

  beforeEach(async () => {
    proxy = await startTcpProxy(mongod.port);
    connectThroughProxy();
    sessionId = randomSessionId();
    await client
      .db('test')
      .collection<{ _id: string }>('users')
      .updateOne({ _id: 'ada' }, { $set: { name: 'Ada' } }, { upsert: true });
    tokenId = (await tokens.issue('ada')).id;
    await sessions.create(sessionId, session(1, { rooms: ['lobby'] }));
  });

  afterEach(async () => {
    mongod.resume();
    await client.close();
    await proxy[Symbol.asyncDispose]();
  });

  const operations: Record<string, () => Promise<unknown>> = {
    'tokens.findById': () => tokens.findById(tokenId),
    'tokens.findByIds': () => tokens.findByIds([tokenId]),
    'tokens.issue': () => tokens.issue('ada'),
    'tokens.revoke': () => tokens.revoke(tokenIdOf('0'.repeat(40))),
    'tokens.revokeAllOf': () => tokens.revokeAllOf('nobody'),
    'tokens.listOf': () => tokens.listOf('ada'),
    'users.findById': () => users.findById('ada'),
    'users.findByIds': () => users.findByIds(['ada']),
    'sessions.load': () => sessions.load(sessionId),
    'sessions.create': () => sessions.create(randomSessionId(), session()),
    'sessions.save': () => sessions.save(randomSessionId(), session(2), 1).catch(ignoreGone),
    'sessions.touch': () => sessions.touch(randomSessionId(), new Date()),
    'tickets.issue': () => tickets.issue({ userId: 'ada' }, 30_000),
    'tickets.consume': () => tickets.consume('of-nobody'),
    'sessions.destroy': () => sessions.destroy(randomSessionId()),
  };

  function ignoreGone(error: unknown): void {
    if ((error as { code?: unknown }).code !== 'ERR_SESSION_GONE') throw error;
  }

  /** What became of each operation, by the time that the deadline has passed. */
  async function failuresAtTheDeadline(): Promise<Record<string, string>> {
    const outcomes: Record<string, string> = {};
    const running = Object.entries(operations).map(async ([name, operation]) => {
      outcomes[name] = 'pending';
      outcomes[name] = await operation().then(
        () => 'fulfilled',
        (error: unknown) => (error as Error).name,
      );
    });
    await clock.advance(timeoutMs - 1);
    expect(Object.values(outcomes)).not.toContain('TimeoutError');
    await clock.advance(1);
    await Promise.all(running);
    return outcomes;
  }

  const allTimedOut = Object.fromEntries(Object.keys(operations).map((name) => [name, 'TimeoutError']));

  /** With the client of before, and without a deadline: the test's own ends it. */
  async function expectAllWorks(): Promise<void> {
    for (const operation of Object.values(operations)) await operation();
    expect((await tokens.findById(tokenId))?.user?.id).toBe('ada');
    expect(await sessions.load(sessionId)).toMatchObject({ data: { rooms: ['lobby'] } });
  }

  it('fails at the deadline while its process is stopped, and works once it goes on', async () => {
    await mongod.pause();
    expect(await failuresAtTheDeadline()).toEqual(allTimedOut);
    mongod.resume();
    await expectAllWorks();
  });

  it('fails by the deadline after it was killed, and works once it is started again, on its data', async () => {
    await sessions.save(sessionId, session(2, { rooms: ['lobby'] }), 1);
    await mongod.kill();
    const outcomes = await failuresAtTheDeadline();
    expect(Object.values(outcomes)).not.toContain('fulfilled');
    await mongod.restart();
    await expectAllWorks();
    expect(await sessions.load(sessionId)).toMatchObject({ version: 2 });
    await sessions.save(sessionId, session(3), 2);
    await expect(sessions.save(sessionId, session(3), 2)).rejects.toMatchObject({ code: 'ERR_SESSION_CONFLICT' });
  });

  it('fails by the deadline where connections are reset and refused, and works once they are not', async () => {
    proxy.setMode('refuse');
    const outcomes = await failuresAtTheDeadline();
    expect(Object.values(outcomes)).not.toContain('fulfilled');
    proxy.setMode('forward');
    await expectAllWorks();
  });

  it('fails at the deadline where connections are half open, and works on new ones', async () => {
    proxy.setMode('swallow');
    expect(await failuresAtTheDeadline()).toEqual(allTimedOut);
    proxy.setMode('forward');
    await expectAllWorks();
  });

  it('works where answers are slow, and shares them: whoever asks meanwhile waits for the next batch', async () => {
    proxy.setDelay(100);
    const found = await Promise.all(Array.from({ length: 200 }, () => nextTurn().then(() => tokens.findById(tokenId))));
    expect(found.every((grant) => grant?.user?.id === 'ada')).toBe(true);
    await expectAllWorks();
  });

  it('fails at its own deadline, not at that of the batch it waits for, and is not asked for afterwards', async () => {
    await mongod.pause();
    const first = expect(tokens.findById(tokenId)).rejects.toMatchObject({ name: 'TimeoutError' });
    await clock.advance(timeoutMs - 1_000);
    const second = expect(tokens.findById(tokenId)).rejects.toMatchObject({ name: 'TimeoutError' });
    await clock.advance(1_000);
    await first;
    await clock.advance(timeoutMs - 1_000);
    await second;
    const third = tokens.findById(tokenId);
    mongod.resume();
    expect((await third)?.user?.id).toBe('ada');
  });

  it('fails at the deadline though two thousand ask, and leaves nothing behind', async () => {
    const timers = clock.pendingTimers;
    await mongod.pause();
    const outcomes = Array.from({ length: 2_000 }, () =>
      tokens.findById(tokenId).then(
        () => 'fulfilled',
        (error: unknown) => (error as Error).name,
      ),
    );
    await clock.advance(timeoutMs);
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['TimeoutError']));
    mongod.resume();
    expect((await tokens.findById(tokenId))?.user?.id).toBe('ada');
    await tokens.close();
    expect(clock.pendingTimers).toBe(timers);
  });

  it('gives no expired record, though nothing removes it', async () => {
    const admin = client.db('admin');
    await admin.command({ setParameter: 1, ttlMonitorEnabled: false });
    const id = randomSessionId();
    await sessions.create(id, { ...session(), expiresAt: new Date(Date.now() - 1_000) });
    expect(await sessions.load(id)).toBeUndefined();
    expect(await client.db('test').collection<{ _id: string }>('channelSessions').countDocuments({ _id: id })).toBe(1);
    const { id: expired } = await tokens.issue('ada', { ttlMs: 1_000 });
    await clock.advance(1_000);
    expect((await tokens.findById(expired))?.expiresAt?.getTime()).toBeLessThanOrEqual(clock.now());
    expect((await tokens.listOf('ada')).map((token) => token.id)).not.toContain(expired);
  });
});
