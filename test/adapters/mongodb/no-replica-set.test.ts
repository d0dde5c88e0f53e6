import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import {
  type ChannelEvent,
  ChannelServer,
  container,
  type IssuedToken,
  type RevocationFeed,
  withUserFromToken,
} from '../../../entries/index.js';
import { MongoBroadcaster, MongoRevocationFeed, MongoTokenRepository, registerMongo } from '../../../entries/mongodb.js';
import { connectTo, type TestClient, TestClock } from '../../../entries/testing.js';
import type { AuthenticatedUser } from '../../../src/users.js';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { type Mongod, startMongod } from '../../support/mongod.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';
import { describeOnMongo } from './mongo.js';

const rounds = 6;
const revokedInOneRound = 50;

describeOnMongo('On a MongoDB that is no replica set', () => {
  let mongod: Mongod;
  let client: MongoClient;

  beforeAll(async () => {
    mongod = await startMongod({ nodes: 0 });
    client = new MongoClient(mongod.url);
  }, 60_000);
  afterAll(async () => {
    await client?.close();
    await mongod?.stop();
  });

  it('a feed of revocations refuses to be subscribed to and says why, and everything else works', async () => {
    const db = client.db('standalone');
    const feed = new MongoRevocationFeed(db);
    for (let round = 0; round < 2; round += 1) {
      await expect(
        feed.subscribe(
          () => undefined,
          () => undefined,
        ),
      ).rejects.toMatchObject({ code: 'ERR_NO_REPLICA_SET' });
    }
    await db.collection<{ _id: string }>('users').insertOne({ _id: 'ada' });
    const tokens = new MongoTokenRepository<AuthenticatedUser>(db);
    const { id } = await tokens.issue('ada');
    expect(await tokens.revoke(id)).toBe(true);
    expect((await tokens.findById(id))?.revokedAt).toBeInstanceOf(Date);
    await feed.publish({ tokenId: id });
  });

  it('warns once where registerMongo was not told whether there is a feed, and refuses where it was', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const subscribe = (feed: RevocationFeed | undefined) =>
      feed!.subscribe(
        () => undefined,
        () => undefined,
      );
    const { feed } = registerMongo(container.createChildContainer(), { db: client.db('standalone') });
    for (let round = 0; round < 2; round += 1) await (await subscribe(feed))[Symbol.asyncDispose]();
    await feed?.publish?.({ userId: 'ada' });
    expect(warn.mock.calls.map(([, type]) => type)).toEqual(['WsWithWarning']);
    expect(await client.db('standalone').collection('revocations').countDocuments({ userId: 'ada' })).toBe(0);
    const { feed: certain } = registerMongo(container.createChildContainer(), { db: client.db('standalone'), feed: true });
    await expect(subscribe(certain)).rejects.toMatchObject({ code: 'ERR_NO_REPLICA_SET' });
  });

  it('a broadcaster rejects whoever subscribes, and writes no mark when all have left', async () => {
    const clock = new TestClock(Date.now());
    const broadcaster = new MongoBroadcaster(client.db('chat'), { clock, maxPendingBytes: 1 });
    const listener = [() => undefined, () => undefined] as const;
    await expect(broadcaster.subscribe(...listener)).rejects.toMatchObject({ code: 'ERR_NO_REPLICA_SET' });
    await Promise.allSettled([broadcaster.publish('lobby', 'one'), broadcaster.publish('lobby', 'two')]);
    await clock.advance(60_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('sweeps miss none of three hundred revocations by another process, while the line is cut and restored again and again', async () => {
    await using proxy = await startTcpProxy(mongod.port);
    const options = { directConnection: true, serverSelectionTimeoutMS: 100, heartbeatFrequencyMS: 500 };
    const sweeping = new MongoClient(`mongodb://127.0.0.1:${proxy.port}`, options);
    await eventually(() => sweeping.connect()); // which takes a busy machine longer than a server is looked for
    await client.db('sweeps').collection<{ _id: string }>('users').insertOne({ _id: 'ada' });
    const others = new MongoTokenRepository<AuthenticatedUser>(client.db('sweeps'));
    const clock = new TestClock(Date.now());
    let swept = deferred<ChannelEvent>();
    const server = new ChannelServer(
      { connect: withUserFromToken({ tokens: new MongoTokenRepository<AuthenticatedUser>(sweeping.db('sweeps')) })(() => undefined) },
      {
        clock,
        connectTimeoutMs: 3_600_000, // the clock goes on while the database is asked
        maxStaleMs: Number.POSITIVE_INFINITY,
        onError: () => undefined,
        onEvent: (event) => void (event.type === 'revalidation' && swept.resolve(event)),
      },
    );
    const sweep = async (): Promise<ChannelEvent> => {
      swept = deferred<ChannelEvent>();
      await clock.advance(60_000);
      return swept.promise;
    };
    const channels: { readonly token: IssuedToken; readonly peer: TestClient }[] = [];
    for (let left = rounds * revokedInOneRound + 50; left > 0; left -= 50) {
      const issued = await Promise.all(Array.from({ length: 50 }, () => others.issue('ada')));
      const peers = await Promise.all(issued.map(({ key }) => connectTo(server, { cookies: { key } })));
      channels.push(...issued.map((token, index) => ({ token, peer: peers[index] as TestClient })));
    }
    expect(server.channels.size).toBe(channels.length);
    const living = channels.splice(0, 50);
    for (let round = 0; round < rounds; round += 1) {
      const isCutAt = Math.random() < 0.5 ? Math.floor(Math.random() * revokedInOneRound) : -1;
      const sweepAt = Math.floor(Math.random() * revokedInOneRound);
      let sweeping: Promise<unknown> | undefined;
      for (const [index, { token }] of channels.slice(round * revokedInOneRound, (round + 1) * revokedInOneRound).entries()) {
        if (index === isCutAt) proxy.setMode('refuse');
        if (index === sweepAt) sweeping = sweep();
        await others.revoke(token.id);
      }
      await sweeping;
      proxy.setMode('forward');
    }
    for (let tries = 0; tries < 200 && server.channels.size > living.length; tries += 1) await sweep();
    expect(channels.filter(({ peer }) => peer.closed?.code !== 3000)).toEqual([]);
    expect(living.filter(({ peer }) => peer.closed !== undefined)).toEqual([]);
    await server.close({ timeoutMs: 0 });
    await sweeping.close();
  }, 120_000);
});
