import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { Groups } from 'ws-with';
import { broadcasterContract, connectTo } from 'ws-with/testing';
import { deferred } from '../../../test/support/deferred.js';
import { NatsBroadcaster } from '../src/nats-broadcaster.js';
import { NatsServer } from './support/nats-server.js';

let server: NatsServer;
const broadcasters: NatsBroadcaster[] = [];

beforeAll(async () => {
  server = await NatsServer.start();
  for (let node = 0; node < 3; node += 1) broadcasters.push(new NatsBroadcaster(await server.connect()));
});
afterAll(async () => {
  for (const { connection } of broadcasters) await connection.close();
  await server.stop();
});

const nodes = (): [NatsBroadcaster, NatsBroadcaster, NatsBroadcaster] => {
  const [one, two, three] = broadcasters;
  return [one!, two!, three!];
};
for (const { name, run } of broadcasterContract({ create: () => ({ nodes: nodes() }) })) it(name, run);

it('groups send to members of another process', async () => {
  const [one, two] = nodes();
  const [here, there] = [new Groups({ broadcaster: one }), new Groups({ broadcaster: two })];
  const client = await connectTo({ connect: ({ channel }) => void there.add('lobby', channel) });
  await Promise.all([here.ready, there.ready]);
  here.send('lobby', 'hello');
  await expect.poll(() => client.sent).toEqual(['hello']);
  await client.disconnect();
  await Promise.all([here.close(), there.close()]);
});

it('tells the others of a gap where a message is larger than the server takes', async () => {
  const [one, two] = nodes();
  const gaps = vi.fn();
  const subscription = await two.subscribe(() => undefined, gaps);
  await expect(one.publish('lobby', 'x'.repeat(2_000_000))).rejects.toThrow(Error);
  await expect.poll(() => gaps.mock.calls.length).toBe(1);
  await subscription[Symbol.asyncDispose]();
});

it('passes over what other applications send on such subjects', async () => {
  const [one, two] = nodes();
  const heard: unknown[] = [];
  const subscription = await two.subscribe(
    (_group, data) => heard.push(data),
    () => undefined,
  );
  for (const subject of ['groups.created.6c6f626279', 'groups.members', 'groups.text.not.one']) one.connection.publish(subject, 'theirs');
  await one.publish('lobby', 'ours');
  await expect.poll(() => heard).toEqual(['ours']);
  await subscription[Symbol.asyncDispose]();
});

it('tells everybody of a gap after a restart of the server, and goes on', async () => {
  const own = await ownServer();
  const [one, two] = [await broadcasterOf(own), await broadcasterOf(own)];
  const gaps = vi.fn();
  const heard: unknown[] = [];
  const subscription = await two.subscribe((_group, data) => heard.push(data), gaps);
  await own.restart();
  await expect.poll(() => gaps.mock.calls.length, { timeout: 15_000 }).toBeGreaterThan(0);
  await expect.poll(() => one.publish('lobby', 'again').then(() => heard), { timeout: 15_000 }).toContain('again');
  await subscription[Symbol.asyncDispose]();
});

it('does not say that it is heard again before the server has its subscriptions', async () => {
  const own = await ownServer();
  const broadcaster = await broadcasterOf(own);
  const [onGap, failed, restored] = [vi.fn(), vi.fn(), vi.fn()];
  await broadcaster.subscribe(() => undefined, onGap, { failed, restored });
  const answered = deferred();
  const flush = vi.spyOn(broadcaster.connection, 'flush').mockReturnValueOnce(answered.promise);
  await own.restart();
  await expect.poll(() => flush.mock.calls.length, { timeout: 15_000 }).toBe(1);
  expect([failed.mock.calls.length > 0, restored.mock.calls.length]).toEqual([true, 0]);
  answered.resolve();
  await expect.poll(() => restored.mock.calls.length).toBe(1);
  expect(onGap).toHaveBeenCalled();
});

it('does not tell of a gap for each message that an outage has cost', async () => {
  const own = await ownServer();
  const [one, two] = [await broadcasterOf(own), await broadcasterOf(own)];
  const gaps = vi.fn();
  const heard: unknown[] = [];
  await two.subscribe((_group, data) => heard.push(data), gaps);
  await own.stop();
  const lost = Promise.allSettled(Array.from({ length: 500 }, () => one.publish('lobby', 'lost')));
  await own.start();
  await lost;
  await expect.poll(() => one.publish('lobby', 'again').then(() => heard), { timeout: 15_000 }).toContain('again');
  expect(gaps.mock.calls.length).toBeLessThan(50); // some for each broadcaster
});

it('rejects where its user may not subscribe, and the connection goes on', async () => {
  const folder = await ownFolder();
  await writeFile(
    join(folder, 'conf'),
    'authorization { users: [{ user: ada, password: x, permissions: { subscribe: { deny: "groups.>" } } }] }',
  );
  const own = await ownServer('--config', join(folder, 'conf'));
  const broadcaster = await broadcasterOf(own, { user: 'ada', pass: 'x' });
  const [on, onGap, failed, restored] = [vi.fn(), vi.fn(), vi.fn(), vi.fn()];
  await expect(broadcaster.subscribe(on, onGap, { failed, restored })).rejects.toThrow('does not let');
  expect(failed, 'it has not begun').not.toHaveBeenCalled();
  await broadcaster.publish('lobby', 'hello');
});

it('is not heard while its user may not subscribe or is not known, says so, and comes back', async () => {
  const folder = await ownFolder();
  const file = join(folder, 'conf');
  const allow = (users: string) => writeFile(file, `authorization { users: [${users}{ user: bob, password: x }] }`);
  const ada = '{ user: ada, password: x }, ';
  await allow(ada);
  const own = await ownServer('--config', file);
  const [one, two] = [
    await broadcasterOf(own, { user: 'ada', pass: 'x', ignoreAuthErrorAbort: true }),
    await broadcasterOf(own, { user: 'bob', pass: 'x' }),
  ];
  const heard: unknown[] = [];
  const [onGap, failed, restored] = [vi.fn(), vi.fn(), vi.fn()];
  const subscription = await one.subscribe((_group, data) => heard.push(data), onGap, { failed, restored });
  for (const [count, users] of ['{ user: ada, password: x, permissions: { subscribe: { deny: "groups.>" } } }, ', ''].entries()) {
    failed.mockClear();
    await allow(users);
    own.reload();
    await expect.poll(() => failed.mock.calls.length, { timeout: 15_000 }).toBeGreaterThan(0);
    await allow(ada);
    own.reload();
    await expect.poll(() => restored.mock.calls.length, { timeout: 15_000 }).toBe(count + 1);
    expect(onGap).toHaveBeenCalledTimes(count + 1);
    await two.publish('lobby', `again ${count}`);
    await expect.poll(() => heard).toContain(`again ${count}`);
  }
  expect(heard).toHaveLength(2);
  await subscription[Symbol.asyncDispose]();
});

/** A server that a test may stop. */
async function ownServer(...args: readonly string[]): Promise<NatsServer> {
  const own = await NatsServer.start(...args);
  onTestFinished(() => own.stop());
  return own;
}

async function broadcasterOf(own: NatsServer, options?: Parameters<NatsServer['connect']>[0]): Promise<NatsBroadcaster> {
  const connection = await own.connect(options);
  onTestFinished(() => connection.close());
  return new NatsBroadcaster(connection);
}

async function ownFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nats-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}
