import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gatewayOf } from '../../../adapters/redis/gateway-of.js';
import { RedisBroadcaster, RedisSessionStore } from '../../../entries/redis.js';
import { TestClock } from '../../../entries/testing.js';
import { eventually } from '../../support/eventually.js';
import { type RedisServer, startRedis } from '../../support/redis-server.js';
import { clients, type TestClient } from './clients.js';

/** What a listener heard, in order: numbers, and gaps. */
type Told = number | 'gap';

describe.each(Object.entries(clients))('a broker that comes and goes, through %s', (_name, connect) => {
  let server: RedisServer;
  let sending: TestClient;
  let hearing: TestClient;

  beforeAll(async () => {
    server = await startRedis({ isDurable: true });
    [sending, hearing] = [await connect(server.port), await connect(server.port)];
  });
  afterAll(async () => {
    await sending[Symbol.asyncDispose]();
    await hearing[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  it('delivers none of 10,000 messages twice or out of order while it is killed twice, and tells of each loss', async () => {
    const [sender, listener] = [new RedisBroadcaster(sending.client), new RedisBroadcaster(hearing.client)];
    const told: Told[] = [];
    await using _subscription = await listener.subscribe(
      (group, data) => group === 'lobby' && told.push(Number(data)),
      () => told.push('gap'),
    );
    let mostPending = 0;
    let pending = 0;
    const publish = (number: number): void => {
      pending += 1;
      mostPending = Math.max(mostPending, pending);
      void sender
        .publish('lobby', String(number))
        .catch(() => undefined)
        .then(() => {
          pending -= 1;
        });
    };
    const total = 10_000;
    for (let number = 0; number < total; number += 1) {
      publish(number);
      if (number % 25 === 0) await nextTurn();
      if (number === 3_000 || number === 6_000) await server.kill();
      if (number === 4_000 || number === 7_000) {
        const since = told.length; // the line may be back before the server is known to be
        await server.restart();
        await eventually(() => expect(told.slice(since)).toContain('gap'));
        await eventually(() => sender.publish('elsewhere', 'The sender is back, too.'));
      }
    }
    let last = total;
    await eventually(async () => {
      await sender.publish('lobby', String(last++)).catch(() => undefined);
      expect(told.some((each) => typeof each === 'number' && each >= total)).toBe(true);
    });
    expect(lossesNotTold(told)).toEqual([]);
    const numbers = told.filter((each) => each !== 'gap');
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    expect(numbers.length).toBeGreaterThan(5_000);
    await eventually(() => expect(pending).toBe(0));
    expect(mostPending).toBeLessThan(5_000);
  });

  it('refuses at once what is published while it is away, and keeps none of it', async () => {
    const sender = new RedisBroadcaster(sending.client);
    await sender.publish('lobby', 'before');
    await server.kill();
    try {
      await eventually(() => expect(sender.publish('lobby', 'x')).rejects.toMatchObject({ code: 'ERR_BROADCAST_FAILED' }));
      const data = 'x'.repeat(1_000);
      const results = await Promise.allSettled(Array.from({ length: 20_000 }, () => sender.publish('lobby', data)));
      expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    } finally {
      await server.restart();
    }
  });

  it('refuses at once also the first message of one that was heard until then', async () => {
    const broadcaster = new RedisBroadcaster(hearing.client);
    await using _subscription = await broadcaster.subscribe(
      () => undefined,
      () => undefined,
    );
    await server.kill();
    try {
      await expect.poll(() => gatewayOf('a test', hearing.client).isReady()).toBe(false);
      await expect(broadcaster.publish('lobby', 'x')).rejects.toMatchObject({ code: 'ERR_BROADCAST_FAILED' });
    } finally {
      await server.restart();
    }
  });

  it('bounds what is on its way while it does not answer', async () => {
    const sender = new RedisBroadcaster(sending.client, { maxPendingBytes: 100_000, timeoutMs: 30_000 });
    await eventually(() => sender.publish('lobby', 'before'));
    await server.pause();
    let refused = 0;
    try {
      const publishing: Promise<void>[] = [];
      for (let count = 0; count < 1_000; count += 1) {
        publishing.push(
          sender.publish('lobby', 'x'.repeat(1_000)).catch(() => {
            refused += 1;
          }),
        );
      }
      await nextTurn();
      expect(refused).toBeGreaterThan(850);
      server.resume();
      await Promise.all(publishing);
    } finally {
      server.resume();
    }
  });

  it('notices a line that was cut in silence, and tells of a gap once it is back', async () => {
    const clock = new TestClock(Date.now());
    const listener = new RedisBroadcaster(hearing.client, { prefix: 'silent:', clock });
    let gaps = 0;
    const heard: unknown[] = [];
    await using _subscription = await listener.subscribe(
      (_group, data) => heard.push(data),
      () => {
        gaps += 1;
      },
    );
    await server.pause();
    await clock.advance(10_000); // it asks
    await clock.advance(3_000); // and has no answer
    server.resume();
    await clock.advance(50); // it begins again, which has all the time that it needs
    await eventually(() => expect(gaps).toBe(1));
    const sender = new RedisBroadcaster(sending.client, { prefix: 'silent:' });
    await eventually(() => sender.publish('lobby', 'again'));
    await eventually(() => expect(heard).toEqual(['again']));
    expect(gaps).toBe(1);
  });

  it('has what was acknowledged of a session after it was killed, where it writes it down', async () => {
    const store = new RedisSessionStore(sending.client);
    const session = { version: 1, data: { rooms: ['lobby'] }, createdAt: new Date(), expiresAt: new Date(Date.now() + 3_600_000) };
    await eventually(() =>
      store.create('kept', session).catch((error: { code?: string }) => expect(error.code).toBe('ERR_SESSION_CONFLICT')),
    );
    await store.save('kept', { ...session, version: 2, data: { rooms: [] } }, 1);
    await server.kill();
    await server.restart();
    expect(await eventually(() => store.load('kept'))).toEqual({ ...session, version: 2, data: { rooms: [] } });
    await store.destroy('kept');
  });
});

/** The numbers before which some are missing, though no gap was told since the one before. */
function lossesNotTold(told: readonly Told[]): number[] {
  let next = 0;
  let isToldOfGap = false;
  const losses: number[] = [];
  for (const each of told) {
    if (each === 'gap') {
      isToldOfGap = true;
      continue;
    }
    if (each > next && !isToldOfGap) losses.push(each);
    next = each + 1;
    isToldOfGap = false;
  }
  return losses;
}
