import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ChannelEvent, ChannelServer, type IssuedToken, withUserFromToken } from '../../../entries/index.js';
import { MongoTokenRepository } from '../../../entries/mongodb.js';
import { connectTo, type TestClient, TestClock } from '../../../entries/testing.js';
import type { AuthenticatedUser } from '../../../src/users.js';
import { deferred } from '../../src/server/serving.js';
import { type Mongod, startMongod } from '../../support/mongod.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';
import { describeOnMongo } from './mongo.js';

const rounds = 6;
const revokedInOneRound = 50;

describeOnMongo('Sweeps on a server that is no replica set', () => {
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

  it('miss none of three hundred revocations by another process, while the line is cut and restored again and again', async () => {
    await using proxy = await startTcpProxy(mongod.port);
    const options = { directConnection: true, serverSelectionTimeoutMS: 100, heartbeatFrequencyMS: 500 };
    const sweeping = new MongoClient(`mongodb://127.0.0.1:${proxy.port}`, options);
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
