import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gatewayOf } from '../../../adapters/redis/gateway-of.js';
import { RedisBroadcaster, type RedisClient, RedisRevocationFeed, RedisSessionStore, RedisTicketStore } from '../../../entries/redis.js';
import {
  broadcasterContract,
  revocationFeedContract,
  sessionStoreContract,
  TestClock,
  ticketStoreContract,
} from '../../../entries/testing.js';
import type { RevocationFeed } from '../../../src/contracts/revocation-feed.js';
import { tokenIdOf } from '../../../src/token-id.js';
import { makeTokenKey } from '../../../src/token-key.js';
import { type RedisServer, startRedis } from '../../support/redis-server.js';
import { clients, type TestClient } from './clients.js';

/** All the time that a busy machine may need. */
const timeoutMs = 20_000;

describe.each(Object.entries(clients))('on Redis, through %s', (_name, connect) => {
  let server: RedisServer;
  const opened: TestClient[] = [];
  let client: RedisClient;

  beforeAll(async () => {
    server = await startRedis();
    for (let count = 0; count < 4; count += 1) opened.push(await connect(server.port));
    ({ client } = opened[0]!);
  });
  afterAll(async () => {
    for (const each of opened) await each[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const interrupt = async (meanwhile: () => Promise<void>): Promise<void> => {
    await server.kill();
    // once its clients know of it, a broadcaster refuses at once
    await expect.poll(() => opened.some((each) => gatewayOf('a test', each.client).isReady())).toBe(false);
    try {
      await meanwhile();
    } finally {
      await server.restart();
    }
  };

  describe('RedisSessionStore', () => {
    for (const { name, run } of sessionStoreContract({ create: () => new RedisSessionStore(client, { timeoutMs }) })) it(name, run);
  });

  describe('RedisTicketStore', () => {
    const create = () => {
      const clock = new TestClock(Date.now());
      return { tickets: new RedisTicketStore(client, { clock }), advance: (ms: number) => clock.advance(ms) };
    };
    for (const { name, run } of ticketStoreContract({ create })) it(name, run);
  });

  describe('RedisRevocationFeed', () => {
    const publishOne = async (feed: RevocationFeed) => {
      const tokenId = tokenIdOf(makeTokenKey());
      await feed.publish?.({ tokenId }).catch(() => undefined);
      return tokenId;
    };
    const create = () => {
      const prefix = `${randomUUID()}:`;
      const other = new RedisRevocationFeed(opened[1]!.client, { prefix, timeoutMs: 1_000 }); // it waits so long for a server that is away
      return {
        feed: new RedisRevocationFeed(client, { prefix, timeoutMs }),
        revokeToken: () => publishOne(other),
        logIn: () => undefined,
        interrupt,
      };
    };
    for (const { name, run } of revocationFeedContract({ create })) it(name, run);
  });

  describe('RedisBroadcaster', () => {
    const create = () => {
      const prefix = `${randomUUID()}:`;
      const node = (index: number) => new RedisBroadcaster(opened[index]!.client, { prefix, timeoutMs });
      return { nodes: [node(0), node(1), node(2)] as const, interrupt };
    };
    for (const { name, run } of broadcasterContract({ create })) it(name, run);
  });
});
