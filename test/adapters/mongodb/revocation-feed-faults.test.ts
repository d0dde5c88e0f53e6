import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MongoRevocationFeed, MongoTokenRepository } from '../../../entries/mongodb.js';
import type { Revocation } from '../../../src/contracts/revocation-feed.js';
import { systemClock } from '../../../src/time/system-clock.js';
import type { TokenId } from '../../../src/token-id.js';
import type { AuthenticatedUser } from '../../../src/users.js';
import { listen } from '../../../testing/contracts/feed-listener.js';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { type Mongod, startMongod } from '../../support/mongod.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';
import { describeOnMongo } from './mongo.js';

/** Pauses between attempts, which grow to ten seconds, are a tenth of that; the deadline of an operation is none of them. */
const hasty = {
  clock: {
    ...systemClock,
    setTimer: (callback: () => void, delayMs: number) => systemClock.setTimer(callback, delayMs > 10_000 ? delayMs : delayMs / 10),
  },
  timeoutMs: 20_000,
};

/** What is hasty later has all the time that a busy machine may need to begin with. */
async function connected(client: MongoClient): Promise<MongoClient> {
  return eventually(() => client.connect());
}

const isOf = (id: TokenId) => (revocation: Revocation) => 'tokenId' in revocation && revocation.tokenId === id;

describeOnMongo('MongoRevocationFeed, where the database goes away', () => {
  let mongod: Mongod;
  let client: MongoClient;
  let tokens: MongoTokenRepository<AuthenticatedUser>;

  beforeAll(async () => {
    mongod = await startMongod();
    client = new MongoClient(mongod.url);
    tokens = new MongoTokenRepository(client.db('feed'), { timeoutMs: 20_000 });
    await client.db('feed').collection<{ _id: string }>('users').insertOne({ _id: 'ada' });
  }, 60_000);
  afterAll(async () => {
    await client?.close();
    await mongod?.stop();
  });

  it('misses nothing that is revoked around a restart', async () => {
    await using watching = await connected(new MongoClient(mongod.url, { serverSelectionTimeoutMS: 500 }));
    await using listener = await listen(new MongoRevocationFeed(watching.db('feed'), hasty), 30_000);
    const issued = [await tokens.issue('ada'), await tokens.issue('ada'), await tokens.issue('ada')] as const;
    await tokens.revoke(issued[0].id);
    await mongod.kill();
    await mongod.restart();
    await tokens.revoke(issued[1].id);
    await tokens.revoke(issued[2].id);
    for (const { id } of issued) await listener.hearsOrGap(isOf(id));
  }, 60_000);

  it('tells of each attempt to go on that fails, and that it goes on', async () => {
    await using proxy = await startTcpProxy(mongod.port);
    const options = { directConnection: true, serverSelectionTimeoutMS: 500, heartbeatFrequencyMS: 500 };
    await using watching = await connected(new MongoClient(`mongodb://127.0.0.1:${proxy.port}`, options));
    const [failedTwice, restored, heard] = [deferred(), deferred(), deferred<Revocation>()];
    const errors: unknown[] = [];
    const health = {
      failed: (error: unknown): void => void (errors.push(error) === 2 && failedTwice.resolve()),
      restored: (): void => restored.resolve(),
    };
    await using _ = await new MongoRevocationFeed(watching.db('feed'), hasty).subscribe(heard.resolve, () => undefined, health);
    const { id } = await tokens.issue('ada');
    proxy.setMode('refuse');
    await failedTwice.promise;
    for (const error of errors) expect(error).toBeInstanceOf(Error);
    await tokens.revoke(id);
    proxy.setMode('forward');
    await restored.promise;
    expect(await heard.promise).toEqual({ tokenId: id });
  }, 60_000);

  it('misses none of five hundred revocations while its line is cut and restored again and again', async () => {
    await using proxy = await startTcpProxy(mongod.port);
    const options = { directConnection: true, serverSelectionTimeoutMS: 500, heartbeatFrequencyMS: 500 };
    await using watching = await connected(new MongoClient(`mongodb://127.0.0.1:${proxy.port}`, options));
    await using listener = await listen(new MongoRevocationFeed(watching.db('feed'), hasty), 30_000);
    const ids: TokenId[] = [];
    // ten at a time: each waits for the journal of the database
    const revokeOne = async (): Promise<void> => {
      const { id } = await tokens.issue('ada');
      await tokens.revoke(id);
      ids.push(id);
    };
    const revokeSome = async (): Promise<void> => {
      for (let round = 0; round < 5; round += 1) await Promise.all(Array.from({ length: 10 }, revokeOne));
    };
    for (let cut = 0; cut < 5; cut += 1) {
      proxy.setMode('refuse');
      await revokeSome();
      const { opened } = proxy;
      proxy.setMode('forward');
      await Promise.all([revokeSome(), eventually(() => expect(proxy.opened).toBeGreaterThan(opened))]);
    }
    for (const id of ids) await listener.hearsOrGap(isOf(id));
    const last = await tokens.issue('ada');
    await tokens.revoke(last.id);
    await listener.hears(isOf(last.id));
  }, 120_000);
});

describeOnMongo('MongoRevocationFeed on a replica set of three', () => {
  let mongod: Mongod;
  let client: MongoClient;

  beforeAll(async () => {
    mongod = await startMongod({ nodes: 3 });
    client = new MongoClient(mongod.url, { serverSelectionTimeoutMS: 30_000 });
  }, 120_000);
  afterAll(async () => {
    await client?.close();
    await mongod?.stop();
  });

  it('loses no revocation that was acknowledged while the primary stepped down', async () => {
    const db = client.db('feed');
    const tokens = new MongoTokenRepository<AuthenticatedUser>(db, { timeoutMs: 30_000 });
    await db.collection<{ _id: string }>('users').insertOne({ _id: 'ada' });
    await using listener = await listen(new MongoRevocationFeed(db, hasty), 60_000);
    const issued = await Promise.all(Array.from({ length: 60 }, () => tokens.issue('ada')));
    const revoked: TokenId[] = [];
    const stepDown = () => client.db('admin').command({ replSetStepDown: 5, secondaryCatchUpPeriodSecs: 2, force: true });
    for (const [index, { id }] of issued.entries()) {
      const revoking = tokens.revoke(id).catch(() => false);
      if (index % 30 === 15) await stepDown().catch(() => undefined);
      if (await revoking) revoked.push(id);
    }
    expect(revoked.length).toBeGreaterThan(50);
    const grants = await tokens.findByIds(revoked);
    for (const id of revoked) {
      await listener.hearsOrGap(isOf(id));
      expect(grants.get(id)?.revokedAt).toBeDefined();
    }
  }, 120_000);
});
