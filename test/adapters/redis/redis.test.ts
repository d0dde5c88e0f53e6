import { hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { createClient, createClientPool, RESP_TYPES } from 'redis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { container, REVOCATION_FEED, SESSION_STORE, TICKET_STORE } from '../../../entries/index.js';
import {
  RedisBroadcaster,
  type RedisClient,
  type RedisOptions,
  RedisRevocationFeed,
  RedisSessionStore,
  RedisTicketStore,
  registerRedis,
} from '../../../entries/redis.js';
import { TestClock } from '../../../entries/testing.js';
import type { StoredSession } from '../../../src/contracts/session-store.js';
import { deferred } from '../../support/deferred.js';
import { type RedisServer, startRedis } from '../../support/redis-server.js';

let server: RedisServer;
let client: Redis;

beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.port, '127.0.0.1');
  client.on('error', () => undefined);
});
afterAll(async () => {
  client.disconnect();
  await server[Symbol.asyncDispose]();
});

function session(differences: Partial<StoredSession> = {}): StoredSession {
  return { version: 1, data: {}, createdAt: new Date(1_000), expiresAt: new Date(Date.now() + 3_600_000), ...differences };
}

describe('RedisSessionStore', () => {
  it.each([
    ['a key of another kind', (key: string) => client.set(key, 'text')],
    ['a version that is none', (key: string) => client.hset(key, { version: 'x', data: '{}', createdAt: '1000', expiresAt: '9e15' })],
    [
      'data that are no JSON',
      (key: string) => client.hset(key, { version: 1, data: '{', createdAt: 1_000, expiresAt: Date.now() + 60_000 }),
    ],
    [
      'data that are a list',
      (key: string) => client.hset(key, { version: 1, data: '[]', createdAt: 1_000, expiresAt: Date.now() + 60_000 }),
    ],
    ['a missing date', (key: string) => client.hset(key, { version: 1, data: '{}', expiresAt: Date.now() + 60_000 })],
    [
      'a date that no Date holds',
      (key: string) => client.hset(key, { version: 1, data: '{}', createdAt: 1_000, expiresAt: '8640000000000001' }),
    ],
  ])('takes %s for absent, and create replaces it', async (what, write) => {
    const store = new RedisSessionStore(client);
    await write(`ws-with:session:${what}`);
    const loaded = await store.load(what);
    expect([loaded?.version, loaded?.createdAt.getTime(), loaded?.expiresAt.getTime()].some(Number.isNaN)).toBe(true);
    await store.touch(what, new Date(Date.now() + 60_000));
    // its script sees how the data begin, and no more
    if (what !== 'data that are no JSON')
      await expect(store.save(what, session({ version: 2 }), 1)).rejects.toMatchObject({ code: 'ERR_SESSION_GONE' });
    const fresh = session({ data: { fresh: true } });
    await store.create(what, fresh);
    expect(await store.load(what)).toEqual(fresh);
  });

  it('reads replies that are bytes, as a client can be told to give them', async () => {
    const commandOptions = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };
    const giving = await createClient({ commandOptions, socket: { host: '127.0.0.1', port: server.port } }).connect();
    const [store, tickets] = [new RedisSessionStore(giving as RedisClient), new RedisTicketStore(giving as RedisClient)];
    await store.create('bytes', session());
    await store.save('bytes', session({ version: 2, data: { read: true } }), 1);
    expect(await store.load('bytes')).toMatchObject({ version: 2, data: { read: true } });
    expect(await tickets.consume(await tickets.issue({ userId: 'ann' }, 60_000))).toMatchObject({ userId: 'ann' });
    giving.destroy();
  });

  it('keeps what a newer version has put beside a record, through saves and touches', async () => {
    const store = new RedisSessionStore(client);
    await store.create('newer', session());
    await client.hset('ws-with:session:newer', { device: 'phone' });
    await store.save('newer', session({ version: 2 }), 1);
    await store.touch('newer', new Date(Date.now() + 60_000));
    expect((await store.load('newer'))?.version).toBe(2);
    expect(await client.hget('ws-with:session:newer', 'device')).toBe('phone');
    await client.hset('ws-with:session:newer', { expiresAt: Date.now() - 1 });
    await store.create('newer', session());
    expect(await client.hget('ws-with:session:newer', 'device')).toBeNull(); // that was another session's
  });

  it('saves, and does not replace, a record whose JSON another program has begun with space', async () => {
    const store = new RedisSessionStore(client);
    const [createdAt, expiresAt] = [1_000, Date.now() + 60_000];
    await client.hset('ws-with:session:spaced', { version: 3, data: '\n {"a":1}', createdAt, expiresAt });
    const stored = await store.load('spaced');
    expect(stored?.data).toEqual({ a: 1 });
    await expect(store.create('spaced', session({}))).rejects.toMatchObject({ code: 'ERR_SESSION_CONFLICT' });
    await store.save('spaced', session({ version: 4, createdAt: new Date(createdAt) }), 3);
    expect((await store.load('spaced'))?.version).toBe(4);
  });

  it('goes by its own clock, and has the server remove a record a minute after its end', async () => {
    const clock = new TestClock();
    const store = new RedisSessionStore(client, { clock, prefix: 'clock:' });
    await store.create('one', session({ expiresAt: new Date(clock.now() + 1_000) }));
    const ttl = await client.pttl('clock:session:one');
    expect(ttl).toBeGreaterThan(50_000);
    expect(ttl).toBeLessThanOrEqual(61_000);
    await clock.advance(999);
    expect(await store.load('one')).toBeDefined();
    await clock.advance(1);
    expect(await store.load('one')).toBeUndefined();
    await expect(store.save('one', session({ version: 2 }), 1)).rejects.toMatchObject({ code: 'ERR_SESSION_GONE' });
  });

  it('sends its scripts again when the server has forgotten them', async () => {
    const store = new RedisSessionStore(client, { prefix: 'scripts:' });
    await store.create('one', session());
    await client.script('FLUSH');
    await store.save('one', session({ version: 2 }), 1);
    expect((await store.load('one'))?.version).toBe(2);
  });

  it('saves once what a client sends again, which was cut off before it was answered', async () => {
    const twice = new Proxy(client, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (name !== 'call') return value;
        return async (command: string, ...args: string[]) => {
          await target.call(command, ...args).catch(() => undefined); // whose answer is lost
          return target.call(command, ...args);
        };
      },
    });
    const store = new RedisSessionStore(twice, { prefix: 'twice:' });
    const others = new RedisSessionStore(client, { prefix: 'twice:' });
    await store.create('one', session());
    await expect(store.create('one', session())).rejects.toMatchObject({ code: 'ERR_SESSION_CONFLICT' });
    for (let version = 2; version < 20; version += 1) await store.save('one', session({ version, data: { version } }), version - 1);
    await others.save('one', session({ version: 20, data: { by: 'others' } }), 19);
    await expect(store.save('one', session({ version: 20 }), 19)).rejects.toMatchObject({ code: 'ERR_SESSION_CONFLICT' });
    expect(await store.load('one')).toMatchObject({ version: 20, data: { by: 'others' } });
    expect(await client.hstrlen('twice:session:one', 'marks')).toBe(60);
  });

  it('touches more than a thousand records', async () => {
    const store = new RedisSessionStore(client, { prefix: 'many:', timeoutMs: 20_000 });
    const ids = Array.from({ length: 1_200 }, (_, index) => String(index));
    await Promise.all(ids.map((id) => store.create(id, session())));
    const expiresAt = new Date(Date.now() + 7_200_000);
    await store.touchMany(ids, expiresAt);
    expect((await store.load('0'))?.expiresAt).toEqual(expiresAt);
    expect((await store.load('1199'))?.expiresAt).toEqual(expiresAt);
  });

  it('gives up after timeoutMs, and fails at once when a thousand wait already', async () => {
    const away = new Redis(1, '127.0.0.1', { retryStrategy: () => 60_000, maxRetriesPerRequest: null });
    away.on('error', () => undefined);
    try {
      const clock = new TestClock();
      const store = new RedisSessionStore(away, { clock });
      const loads = Array.from({ length: 1_000 }, (_, index) => store.load(String(index)).catch((error: unknown) => error));
      await expect(store.load('one more')).rejects.toThrow(Error);
      await clock.advance(3_000);
      for (const error of await Promise.all(loads)) expect(error).toMatchObject({ name: 'TimeoutError' });
    } finally {
      away.disconnect();
    }
  });
});

describe('what is kept for a server that does not answer', () => {
  it('is bounded, also where the client takes it for one that is there', async () => {
    let calls = 0;
    const silent = {
      status: 'ready',
      call: () => {
        calls += 1;
        return new Promise<unknown>(() => undefined);
      },
      duplicate: () => silent,
      disconnect: () => undefined,
    };
    const store = new RedisSessionStore(silent, { clock: new TestClock() }); // which stands still: nothing ends what waits
    const failures: unknown[] = [];
    for (let index = 0; index < 20_000; index += 1) store.load(String(index)).catch((error: unknown) => failures.push(error));
    await nextTurn();
    expect([calls, failures.length]).toEqual([16_384, 20_000 - 16_384]);
    expect(new Set(failures.map((failure) => (failure as Error).name))).toEqual(new Set(['Error']));
  });
});

describe('RedisTicketStore', () => {
  it('keeps the digest of a ticket, and never the ticket', async () => {
    const tickets = new RedisTicketStore(client, { prefix: 'digests:' });
    const ticket = await tickets.issue({ userId: 'ada' }, 30_000);
    const keys = await client.keys('digests:*');
    expect(keys).toEqual([`digests:ticket:${hash('sha256', ticket, 'hex')}`]);
    expect(await client.get(keys[0]!)).not.toContain(ticket);
    await tickets.consume(ticket);
    expect(await client.keys('digests:*')).toEqual([]);
  });

  it.each(['no JSON', 'null', '{"until":1}', '{"until":9e15,"grant":{"userId":7}}'])(
    'rejects what somebody else has put there: %s',
    async (value) => {
      await client.set(`ws-with:ticket:${hash('sha256', 'forged', 'hex')}`, value);
      await expect(new RedisTicketStore(client).consume('forged')).rejects.toThrow(TypeError);
    },
  );

  it('reads null as nothing, as other programs write it', async () => {
    const grant = { userId: 'ada', tokenId: null, expiresAt: null, httpSessionId: null };
    await client.set(`ws-with:ticket:${hash('sha256', 'foreign', 'hex')}`, JSON.stringify({ until: 8e15, grant }));
    expect(await new RedisTicketStore(client).consume('foreign')).toEqual({ userId: 'ada' });
  });
});

describe('RedisRevocationFeed', () => {
  it('tells of a gap where what was published is no revocation, and publishes none itself', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const feed = new RedisRevocationFeed(client, { prefix: 'odd:' });
    const heard: unknown[] = [];
    await using _subscription = await feed.subscribe(
      (revocation) => heard.push(revocation),
      () => heard.push('gap'),
    );
    const nothing = [
      'no JSON',
      'null',
      '{}',
      '7',
      '"ada"',
      '[]',
      '{"tokenId":7}',
      '{"tokenId":"x"}',
      '{"userId":"ada","httpSessionId":"x"}',
    ];
    for (const text of nothing) await client.publish('odd:revocations', text);
    // a moment that cannot be read must not end all that the user has
    for (const moment of ['"2026-11-26"', '9e15', '{}', 'true'])
      await client.publish('odd:revocations', `{"userId":"ada","issuedBefore":${moment}}`);
    await client.publish('odd:revocations', '{"userId":"ada","issuedBefore":null,"tokenId":null,"note":"a newer version"}');
    await feed.publish({ userId: 'ada', issuedBefore: new Date(7) });
    const hint = { userId: 'ada', hint: true };
    await expect
      .poll(() => heard)
      .toEqual([...nothing.map(() => 'gap'), hint, hint, hint, hint, { userId: 'ada' }, { userId: 'ada', issuedBefore: new Date(7) }]);
    expect(warn.mock.calls.map(([, options]) => options)).toEqual([{ type: 'WsWithWarning', code: 'ERR_REVOCATION_FEED_FAILED' }]);
    warn.mockRestore();
    for (const bad of [
      {},
      null,
      { tokenId: 'a' },
      { userId: '' },
      { userId: 'ada', httpSessionId: 'x' },
      { userId: 'ada', issuedBefore: 7 },
    ]) {
      await expect(feed.publish(bad as never)).rejects.toThrow(TypeError);
    }
  });

  it.each([
    ['a feed', (own: Redis, options: RedisOptions) => new RedisRevocationFeed(own, options)],
    ['a broadcaster', (own: Redis, options: RedisOptions) => new RedisBroadcaster(own, options)],
  ])('%s tells that it cannot go on, and when it can again', async (_what, make) => {
    await using own = await startRedis();
    const clock = new TestClock();
    // the clock is moved on for the pauses between attempts: no attempt is to run out of time by it
    const options = { clock, timeoutMs: 2_000_000_000 };
    const ownClient = new Redis(own.port, '127.0.0.1', { retryStrategy: () => 20 });
    ownClient.on('error', () => undefined);
    const told: string[] = [];
    const subscription = await make(ownClient, options).subscribe(
      () => undefined,
      () => told.push('gap'),
      { failed: () => told.push('failed'), restored: () => told.push('restored') },
    );
    await own.kill();
    await expect.poll(() => clock.advance(100).then(() => told)).toContain('failed');
    await own.restart();
    await expect.poll(() => clock.advance(1_000).then(() => told)).toContain('gap');
    expect(told.splice(0).slice(-2)).toEqual(['restored', 'gap']);
    await ownClient.client('KILL', 'TYPE', 'PUBSUB');
    await expect.poll(() => clock.advance(100).then(() => told)).toEqual(['gap']);
    await subscription[Symbol.asyncDispose]();
    ownClient.disconnect();
  });

  it('rejects where Redis cannot be subscribed to', async () => {
    const away = new Redis(1, '127.0.0.1', { retryStrategy: () => null });
    away.on('error', () => undefined);
    const listener = [() => undefined, () => undefined] as const;
    await expect(new RedisRevocationFeed(away).subscribe(...listener)).rejects.toThrow(Error);
    await expect(new RedisBroadcaster(away).subscribe(...listener)).rejects.toThrow(Error);
    away.disconnect();
  });
});

describe('what is on Redis', () => {
  it('is registered in a container, one instance of each', () => {
    const child = container.createChildContainer();
    const { sessions, tickets, feed, broadcaster } = registerRedis(child, { client, prefix: 'registered:', timeoutMs: 500 });
    expect([sessions, tickets, feed].map(({ timeoutMs }) => timeoutMs)).toEqual([500, 500, 500]);
    expect(child.resolve(SESSION_STORE)).toBe(sessions);
    expect(child.resolve(TICKET_STORE)).toBe(tickets);
    expect(child.resolve(REVOCATION_FEED)).toBe(feed);
    expect(child.resolve(RedisSessionStore)).toBe(sessions);
    expect(child.resolve(RedisTicketStore)).toBe(tickets);
    expect(child.resolve(RedisRevocationFeed)).toBe(feed);
    expect(child.resolve(RedisBroadcaster)).toBe(broadcaster);
  });

  it('tells of a gap where it hears what it cannot read, as a newer version may send it, and goes on', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const clock = new TestClock();
    const broadcaster = new RedisBroadcaster(client, { prefix: 'formats:', clock });
    const sender = new RedisBroadcaster(client, { prefix: 'formats:' });
    const heard: unknown[] = [];
    await using _subscription = await broadcaster.subscribe(
      (_group, data) => heard.push(data),
      () => heard.push('gap'),
    );
    const [newerFormat, cutOff, newerFlag] = [Buffer.alloc(40, 2), Buffer.alloc(40, 1), Buffer.alloc(40)];
    newerFlag.set([1, 4]);
    for (const data of ['', 'short', newerFormat, cutOff, newerFlag]) await client.publish('formats:broadcast', data);
    await sender.publish('lobby', 'good');
    await expect.poll(() => heard).toEqual(['gap', 'good']);
    await clock.advance(5_000);
    expect(heard).toEqual(['gap', 'good', 'gap']);
    await client.publish('formats:broadcast', newerFlag);
    await sender.publish('lobby', 'better');
    await expect.poll(() => heard).toEqual(['gap', 'good', 'gap', 'better']);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it('tells of a gap to who has heard nothing before what was sent after a loss that its sender did not know of yet', async () => {
    const heard: unknown[] = [];
    await using _subscription = await new RedisBroadcaster(client, { prefix: 'losses:' }).subscribe(
      (_group, data) => heard.push(data),
      () => heard.push('gap'),
    );
    const clock = new TestClock();
    const sender = new RedisBroadcaster(client, { prefix: 'losses:', clock });
    const refused = deferred<number>();
    vi.spyOn(client, 'publish').mockReturnValueOnce(refused.promise);
    const losing = sender.publish('lobby', 'lost');
    await sender.publish('lobby', 'hello');
    refused.reject(new Error('BUSY'));
    await expect(losing).rejects.toThrow('BUSY');
    await clock.advance(100);
    await expect.poll(() => heard).toEqual(['hello', 'gap']);
  });

  const makers = {
    RedisSessionStore: (given: RedisClient, options?: object) => new RedisSessionStore(given, options),
    RedisTicketStore: (given: RedisClient, options?: object) => new RedisTicketStore(given, options),
    RedisRevocationFeed: (given: RedisClient, options?: object) => new RedisRevocationFeed(given, options),
    RedisBroadcaster: (given: RedisClient, options?: object) => new RedisBroadcaster(given, options),
    registerRedis: (given: RedisClient, options?: object) => registerRedis(container.createChildContainer(), { client: given, ...options }),
  };
  it.each(Object.entries(makers))('%s refuses what is no client and no option with a TypeError', (_name, make) => {
    const pool = createClientPool({ socket: { host: '127.0.0.1', port: 1 } });
    for (const bad of [
      undefined,
      null,
      'redis://127.0.0.1',
      {},
      pool,
      { status: 'ready' },
      { isOpen: true, sendCommand: () => undefined },
    ]) {
      expect(() => make(bad as never)).toThrow(TypeError);
    }
    expect(() => make(undefined as never)).toThrow(/client/);
    for (const bad of [{ prefix: 7 }, { timeoutMs: 0 }, { clock: {} }, { prefixes: 'x' }])
      expect(() => make(client, bad)).toThrow(TypeError);
  });

  it('refuses an option of the registration in its name, with all that it takes', () => {
    const register = (): unknown => makers.registerRedis(client, { shard: 3 });
    expect(register).toThrow(/^registerRedis: .* shard; .*prefix.*shards.*client/);
  });

  it.each([{ shards: 0 }, { shards: 1.5 }, { maxPendingBytes: 0 }])('RedisBroadcaster refuses %j with a TypeError', (options) => {
    expect(() => new RedisBroadcaster(client, options)).toThrow(TypeError);
  });
});
