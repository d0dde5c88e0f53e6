import { rm } from 'node:fs/promises';
import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterEach, expect, it, vi } from 'vitest';
import { RedisBroadcaster, type RedisClient, RedisRevocationFeed, RedisSessionStore, RedisTicketStore } from '../../../entries/redis.js';
import { TestClock } from '../../../entries/testing.js';
import type { StoredSession } from '../../../src/contracts/session-store.js';
import { type RedisServer, startRedis } from '../../support/redis-server.js';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const packages: Readonly<Record<string, (port: number, password?: string) => RedisClient>> = {
  ioredis(port, password) {
    const client = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 20, ...(password !== undefined && { password }) });
    client.on('error', () => undefined);
    closing.push(() => client.disconnect());
    return client;
  },
  redis(port, password) {
    const client = createClient({
      socket: { host: '127.0.0.1', port, reconnectStrategy: () => 20 },
      ...(password !== undefined && { password }),
    });
    client.on('error', () => undefined);
    client.connect().catch(() => undefined);
    closing.push(() => client.destroy());
    return client;
  },
};
const each = Object.entries(packages);

function session(differences: Partial<StoredSession> = {}): StoredSession {
  return { version: 1, data: {}, createdAt: new Date(1_000), expiresAt: new Date(Date.now() + 3_600_000), ...differences };
}

it('a server that is full refuses what would need more memory, keeps what it has, and is still told that sessions live on', async () => {
  await using server = await startRedis();
  const store = new RedisSessionStore(packages['ioredis']!(server.port));
  await store.create('one', session());
  await server.ask('CONFIG', 'SET', 'maxmemory', '1000');
  await expect(store.create('two', session())).rejects.toThrow(/^OOM/);
  await expect(store.save('one', session({ version: 2, data: { more: 'x'.repeat(1_000) } }), 1)).rejects.toThrow(/^OOM/);
  const expiresAt = new Date(Date.now() + 7_200_000);
  await store.touch('one', expiresAt);
  expect(await store.load('one')).toEqual(session({ createdAt: new Date(1_000), expiresAt }));
  expect(await store.load('two')).toBeUndefined();
  await store.destroy('one');
  await server.ask('CONFIG', 'SET', 'maxmemory', '0');
  await store.create('two', session());
});

it('a user who may do what the documentation says, and nothing else, can use everything', async () => {
  await using server = await startRedis();
  const documented = ['evalsha', 'eval', 'hmget', 'del', 'type', 'hset', 'pexpire', 'set', 'getdel', 'publish', 'subscribe', 'ping'];
  const rights = ['-@all', '+hello', '+client', '+info', '+select', ...documented.map((command) => `+${command}`)];
  await server.ask('ACL', 'SETUSER', 'default', 'resetkeys', 'resetchannels', '~ws-with:*', '&ws-with:*', ...rights);
  const client = packages['ioredis']!(server.port);
  const store = new RedisSessionStore(client);
  await store.create('id', session());
  await store.save('id', session({ version: 2 }), 1);
  await store.touch('id', new Date(Date.now() + 7_200_000));
  expect((await store.load('id'))?.version).toBe(2);
  await store.destroy('id');
  const tickets = new RedisTicketStore(client);
  expect(await tickets.consume(await tickets.issue({ userId: 'ada' }, 10_000))).toEqual({ userId: 'ada' });
  const ignore = (): void => undefined;
  for (const one of [new RedisBroadcaster(client), new RedisRevocationFeed(client)]) {
    await (await one.subscribe(ignore, ignore))[Symbol.asyncDispose]();
  }
  await new RedisBroadcaster(client).publish('lobby', 'hello');
  await new RedisRevocationFeed(client).publish({ userId: 'ada' });
});

const refusedPings = {
  'its user may not ping': (server: RedisServer) => server.ask('ACL', 'SETUSER', 'default', '-ping'),
  // as no dump can be written: its folder is gone
  'the server cannot write to its disk': async (server: RedisServer) => {
    await server.ask('CONFIG', 'SET', 'save', '3600 1');
    await rm(server.folder, { recursive: true });
    await server.ask('BGSAVE');
    await expect.poll(() => server.ask('PING')).toContain('MISCONF');
  },
};
const eachPing = each.flatMap(([name, connect]) =>
  Object.entries(refusedPings).map(([why, refuse]) => [name, why, connect, refuse] as const),
);

it.each(eachPing)('a subscription of %s goes on, without a gap, while %s', async (_name, _why, connect, refuse) => {
  await using server = await startRedis();
  const clock = new TestClock();
  const client = connect(server.port);
  const told: unknown[] = [];
  const subscription = await new RedisBroadcaster(client, { clock }).subscribe(
    (_group, data) => told.push(data),
    () => told.push('gap'),
  );
  await refuse(server);
  const timers = vi.spyOn(clock, 'setTimer');
  for (let beat = 1; beat <= 2; beat += 1) {
    await clock.advance(10_000);
    await expect.poll(() => timers.mock.calls.length).toBe(2 * beat); // the deadline of the ping, and the next ping
  }
  await new RedisBroadcaster(client).publish('lobby', 'hello');
  await expect.poll(() => told).toEqual(['hello']);
  await subscription[Symbol.asyncDispose]();
});

const secrets = { password: 'the-password', data: 'in-the-session', user: 'for-whom', group: 'the-group', message: 'what-was-said' };

/** What everything on `client` fails with. */
async function errorsOf(client: RedisClient): Promise<string[]> {
  const tickets = new RedisTicketStore(client);
  const broadcaster = new RedisBroadcaster(client);
  const feed = new RedisRevocationFeed(client);
  const ignore = (): void => undefined;
  const failing = [
    new RedisSessionStore(client).create('id', session({ data: { secret: secrets.data } })),
    tickets.issue({ userId: secrets.user }, 1_000),
    tickets.consume('a'.repeat(40)),
    broadcaster.publish(secrets.group, secrets.message),
    feed.publish({ userId: secrets.user }),
    feed.subscribe(ignore, ignore),
    broadcaster.subscribe(ignore, ignore),
  ];
  const errors = await Promise.all(
    failing.map((each) =>
      each.then(
        () => 'no error',
        (error: unknown) => error,
      ),
    ),
  );
  return errors.map((error) => `${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error)}`);
}

it.each(each)('no error of %s tells a password, what is in a session, or whom a ticket is for', async (_name, connect) => {
  await using server = await startRedis();
  await server.ask('ACL', 'SETUSER', 'default', '-evalsha', '-set', '-getdel', '-publish', '-subscribe');
  for (const text of await errorsOf(connect(server.port))) {
    expect(text).toContain('NOPERM');
    for (const secret of Object.values(secrets)) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(Buffer.from(secret).toString('hex').slice(0, 12).replaceAll(/(..)/g, '$1 ').trim());
    }
  }
});

it.each(each)('a password that %s is refused with is told as that, and not what it is', async (_name, connect) => {
  await using server = await startRedis();
  await server.ask('CONFIG', 'SET', 'requirepass', 'another one');
  const texts = await errorsOf(connect(server.port, secrets.password));
  for (const text of texts) expect(text).not.toContain(secrets.password);
  for (const text of texts.slice(-2)) expect(text).toContain('WRONGPASS');
});
