import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisBroadcaster, type RedisClient, RedisRevocationFeed, RedisSessionStore, RedisTicketStore } from '../../../entries/redis.js';
import { broadcasterContract, revocationFeedContract, sessionStoreContract } from '../../../entries/testing.js';
import { tokenIdOf } from '../../../src/token-id.js';
import { makeTokenKey } from '../../../src/token-key.js';
import { eventually } from '../../support/eventually.js';
import { type RedisServer, startRedis, startRedisCluster } from '../../support/redis-server.js';
import { clusterClients, type TestClient } from './clients.js';

/** All the time that a busy machine may need. */
const timeoutMs = 20_000;

describe.each(Object.entries(clusterClients))('on a cluster, through %s', (_name, connect) => {
  let servers: readonly RedisServer[] = [];
  let opened: TestClient;
  let client: RedisClient;

  beforeAll(async () => {
    servers = await startRedisCluster(2);
    opened = await connect(servers[0]!.port);
    ({ client } = opened);
  });
  afterAll(async () => {
    await opened[Symbol.asyncDispose]();
    for (const server of servers) await server[Symbol.asyncDispose]();
  });

  describe('RedisSessionStore', () => {
    for (const { name, run } of sessionStoreContract({ create: () => new RedisSessionStore(client, { timeoutMs }) })) it(name, run);
  });

  describe('RedisRevocationFeed', () => {
    const create = () => {
      const feed = new RedisRevocationFeed(client, { prefix: `${randomUUID()}:`, timeoutMs });
      const revokeToken = async () => {
        const tokenId = tokenIdOf(makeTokenKey());
        await feed.publish({ tokenId });
        return tokenId;
      };
      return { feed, revokeToken, logIn: () => undefined };
    };
    for (const { name, run } of revocationFeedContract({ create })) it(name, run);
  });

  describe('RedisBroadcaster', () => {
    const create = () => {
      const prefix = `${randomUUID()}:`;
      const node = () => new RedisBroadcaster(client, { prefix, timeoutMs });
      return { nodes: [node(), node(), node()] as const };
    };
    for (const { name, run } of broadcasterContract({ create })) it(name, run);

    it('spreads groups over sharded channels of several nodes', async () => {
      const prefix = `${randomUUID()}:`;
      const broadcaster = new RedisBroadcaster(client, { prefix, shards: 8 });
      const subscription = await broadcaster.subscribe(
        () => undefined,
        () => undefined,
      );
      try {
        const channels = await Promise.all(servers.map((server) => server.ask('PUBSUB', 'SHARDCHANNELS', `${prefix}*`)));
        expect(channels.filter((reply) => reply.includes(prefix)).length).toBe(2);
      } finally {
        await subscription[Symbol.asyncDispose]();
      }
    });
  });

  it('consumes a ticket once, wherever its key is', async () => {
    const tickets = new RedisTicketStore(client);
    for (let count = 0; count < 10; count += 1) {
      const ticket = await tickets.issue({ userId: 'ada' }, 30_000);
      expect(await tickets.consume(ticket)).toEqual({ userId: 'ada' });
      expect(await tickets.consume(ticket)).toBeUndefined();
    }
  });

  it('tells of a gap when a channel moves to another node, and hears it there', async () => {
    const prefix = `${randomUUID()}:`;
    const [one, other] = [new RedisBroadcaster(client, { prefix, shards: 1 }), new RedisBroadcaster(client, { prefix, shards: 1 })];
    let gaps = 0;
    const heard: unknown[] = [];
    const subscription = await other.subscribe(
      (_group, data) => heard.push(data),
      () => {
        gaps += 1;
      },
    );
    try {
      const slot = /(\d+)/.exec(await servers[0]!.ask('CLUSTER', 'KEYSLOT', `${prefix}broadcast:0`))?.[1] ?? '';
      const ids = await Promise.all(servers.map(async (server) => (await server.ask('CLUSTER', 'MYID')).split('\r\n')[1] ?? ''));
      const target = Number(slot) < 8_192 ? 1 : 0;
      await servers[target]!.ask('CLUSTER', 'BUMPEPOCH'); // or what the nodes tell each other may give the slot back
      for (const server of [servers[target]!, servers[1 - target]!]) await server.ask('CLUSTER', 'SETSLOT', slot, 'NODE', ids[target]!);
      await eventually(() => expect(gaps).toBeGreaterThan(0));
      await eventually(async () => {
        await one.publish('lobby', 'moved').catch(() => undefined);
        expect(heard).toContain('moved');
      });
    } finally {
      await subscription[Symbol.asyncDispose]();
    }
  });

  it('hears a channel also on a node that has joined since, where it sends nothing itself', async () => {
    const [first, second] = await startRedisCluster(2);
    await using one = first!;
    await using two = second!;
    await using hearing = await connect(one.port);
    await using sending = await connect(one.port);
    const heard: unknown[] = [];
    await using _subscription = await new RedisBroadcaster(hearing.client, { shards: 1 }).subscribe(
      (_group, data) => heard.push(data),
      () => undefined,
    );
    await using joined = await startRedis({ isClusterNode: true });
    await joined.ask('CLUSTER', 'SET-CONFIG-EPOCH', '9');
    await one.ask('CLUSTER', 'MEET', '127.0.0.1', String(joined.port));
    const nodes = [joined, one, two];
    await eventually(async () => {
      for (const node of nodes) expect(await node.ask('CLUSTER', 'INFO')).toMatch(/cluster_state:ok.*cluster_known_nodes:3/s);
    });
    const slot = /(\d+)/.exec(await one.ask('CLUSTER', 'KEYSLOT', 'ws-with:broadcast:0'))?.[1] ?? '';
    const id = (await joined.ask('CLUSTER', 'MYID')).split('\r\n')[1] ?? '';
    for (const node of nodes) await node.ask('CLUSTER', 'SETSLOT', slot, 'NODE', id);
    const sender = new RedisBroadcaster(sending.client, { shards: 1 });
    await eventually(async () => {
      await sender.publish('lobby', 'moved').catch(() => undefined);
      expect(heard).toContain('moved');
    });
  });
});
