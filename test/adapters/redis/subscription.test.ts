import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Operations } from '../../../adapters/redis/operations.js';
import { RedisSubscription } from '../../../adapters/redis/subscription.js';
import { RedisBroadcaster } from '../../../entries/redis.js';
import { TestClock } from '../../../entries/testing.js';
import { type RedisServer, startRedis } from '../../support/redis-server.js';

let server: RedisServer;
let client: Redis;

beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.port, '127.0.0.1');
});
afterAll(async () => {
  client.disconnect();
  await server[Symbol.asyncDispose]();
});

/** How many connections hear something. */
async function listening(): Promise<number> {
  return String(await client.client('LIST', 'TYPE', 'PUBSUB'))
    .split('\n')
    .filter(Boolean).length;
}

it('one that is ended while it is opened leaves no connection behind', async () => {
  const subscription = new RedisSubscription(new Operations('a test', client, {}), 'channel', {
    message: () => undefined,
    gap: () => undefined,
  });
  const opening = subscription.open();
  subscription.close();
  await expect(opening).rejects.toThrow(Error);
  await expect.poll(listening).toBe(0);
});

it('one that has all its pings answered goes on, and tells of no gap', async () => {
  const clock = new TestClock();
  const broadcaster = new RedisBroadcaster(client, { clock });
  const told: unknown[] = [];
  const subscription = await broadcaster.subscribe(
    (_group, data) => told.push(data),
    () => told.push('gap'),
  );
  const timers = vi.spyOn(clock, 'setTimer');
  for (let beat = 1; beat <= 3; beat += 1) {
    await clock.advance(10_000);
    // the next ping is set when this one is answered; until then the one timer may be the answer's deadline
    await expect.poll(() => timers.mock.calls.filter(([, ms]) => ms === 10_000).length).toBe(beat);
    expect(clock.pendingTimers).toBe(1);
  }
  await new RedisBroadcaster(client).publish('lobby', 'hello');
  await expect.poll(() => told).toEqual(['hello']);
  await subscription[Symbol.asyncDispose]();
  expect(clock.pendingTimers).toBe(0);
  await expect.poll(listening).toBe(0);
});

it('one whose connection the server closes comes back, and tells of a gap', async () => {
  const told: string[] = [];
  const subscription = await new RedisBroadcaster(client).subscribe(
    () => undefined,
    () => told.push('gap'),
  );
  await client.client('KILL', 'TYPE', 'PUBSUB');
  await expect.poll(() => told).toEqual(['gap']);
  expect(await listening()).toBe(1);
  await subscription[Symbol.asyncDispose]();
});

it('one is not given up because nothing is said on it, though the client gives up a silent connection', async () => {
  const impatient = createClient({ socket: { host: '127.0.0.1', port: server.port, socketTimeout: 5_000 } });
  impatient.on('error', () => undefined);
  await impatient.connect();
  const duplicate = vi.spyOn(impatient, 'duplicate');
  const subscription = await new RedisBroadcaster(impatient).subscribe(
    () => undefined,
    () => undefined,
  );
  expect(duplicate.mock.results[0]?.value.options.socket).toMatchObject({ port: server.port, socketTimeout: undefined });
  await subscription[Symbol.asyncDispose]();
  impatient.destroy();
});
