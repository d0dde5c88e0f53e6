import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Groups } from 'ws-with';
import { broadcasterContract, connectTo } from 'ws-with/testing';
import { deferred } from '../../../test/support/deferred.js';
import { freePort } from '../../../test/support/free-port.js';
import { NatsBroadcaster } from '../src/nats-broadcaster.js';

let server: ChildProcess;
let port: number;
const broadcasters: NatsBroadcaster[] = [];

beforeAll(async () => {
  port = await freePort();
  await startServer();
  for (let node = 0; node < 3; node += 1) {
    const connection = await connect({ servers: `127.0.0.1:${port}`, noEcho: true, reconnectTimeWait: 20, maxReconnectAttempts: -1 });
    broadcasters.push(new NatsBroadcaster(connection));
  }
});
afterAll(async () => {
  for (const { connection } of broadcasters) await connection.close();
  await stopServer();
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
  const [one, two] = nodes();
  const gaps = vi.fn();
  const heard: unknown[] = [];
  const subscription = await two.subscribe((_group, data) => heard.push(data), gaps);
  await stopServer();
  await startServer();
  await expect.poll(() => gaps.mock.calls.length, { timeout: 15_000 }).toBeGreaterThan(0);
  await expect.poll(() => one.publish('lobby', 'again').then(() => heard), { timeout: 15_000 }).toContain('again');
  await subscription[Symbol.asyncDispose]();
});

it('does not say that it is heard again before the server has its subscriptions', async () => {
  const connection = await connect({ servers: `127.0.0.1:${port}`, noEcho: true, reconnectTimeWait: 20, maxReconnectAttempts: -1 });
  const [onGap, failed, restored] = [vi.fn(), vi.fn(), vi.fn()];
  await new NatsBroadcaster(connection).subscribe(() => undefined, onGap, { failed, restored });
  const answered = deferred();
  const flush = vi.spyOn(connection, 'flush').mockReturnValueOnce(answered.promise);
  await stopServer();
  await startServer();
  await expect.poll(() => flush.mock.calls.length, { timeout: 15_000 }).toBe(1);
  expect([failed.mock.calls.length > 0, restored.mock.calls.length]).toEqual([true, 0]);
  answered.resolve();
  await expect.poll(() => restored.mock.calls.length).toBe(1);
  expect(onGap).toHaveBeenCalled();
  await connection.close();
});

it('does not tell of a gap for each message that an outage has cost', async () => {
  const options = { servers: `127.0.0.1:${port}`, noEcho: true, reconnectTimeWait: 20, maxReconnectAttempts: -1 };
  const [mine, theirs] = await Promise.all([connect(options), connect(options)]);
  const [one, two] = [new NatsBroadcaster(mine), new NatsBroadcaster(theirs)];
  const gaps = vi.fn();
  const heard: unknown[] = [];
  await two.subscribe((_group, data) => heard.push(data), gaps);
  await stopServer();
  const lost = Promise.allSettled(Array.from({ length: 500 }, () => one.publish('lobby', 'lost')));
  await startServer();
  await lost;
  await expect.poll(() => one.publish('lobby', 'again').then(() => heard), { timeout: 15_000 }).toContain('again');
  expect(gaps.mock.calls.length).toBeLessThan(50); // some for each broadcaster, those of other tests included
  for (const connection of [mine, theirs]) await connection.close();
});

it('rejects where its user may not subscribe, and the connection goes on', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nats-'));
  await writeFile(
    join(folder, 'conf'),
    'authorization { users: [{ user: ada, password: x, permissions: { subscribe: { deny: "groups.>" } } }] }',
  );
  await stopServer();
  await startServer('--config', join(folder, 'conf'));
  const connection = await connect({ servers: `127.0.0.1:${port}`, noEcho: true, user: 'ada', pass: 'x' });
  const broadcaster = new NatsBroadcaster(connection);
  const [on, onGap, failed, restored] = [vi.fn(), vi.fn(), vi.fn(), vi.fn()];
  await expect(broadcaster.subscribe(on, onGap, { failed, restored })).rejects.toThrow('does not let');
  expect(failed, 'it has not begun').not.toHaveBeenCalled();
  await broadcaster.publish('lobby', 'hello');
  await connection.close();
  await rm(folder, { recursive: true });
});

it('is not heard while its user may not subscribe or is not known, says so, and comes back', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nats-'));
  const file = join(folder, 'conf');
  const allow = (users: string) => writeFile(file, `authorization { users: [${users}{ user: bob, password: x }] }`);
  const ada = '{ user: ada, password: x }, ';
  await allow(ada);
  await stopServer();
  await startServer('--config', file);
  const options = {
    servers: `127.0.0.1:${port}`,
    noEcho: true,
    pass: 'x',
    reconnectTimeWait: 20,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
  };
  const [mine, theirs] = await Promise.all([connect({ ...options, user: 'ada' }), connect({ ...options, user: 'bob' })]);
  const [one, two] = [new NatsBroadcaster(mine), new NatsBroadcaster(theirs)];
  const heard: unknown[] = [];
  const [onGap, failed, restored] = [vi.fn(), vi.fn(), vi.fn()];
  const subscription = await one.subscribe((_group, data) => heard.push(data), onGap, { failed, restored });
  for (const [count, users] of ['{ user: ada, password: x, permissions: { subscribe: { deny: "groups.>" } } }, ', ''].entries()) {
    failed.mockClear();
    await allow(users);
    server.kill('SIGHUP');
    await expect.poll(() => failed.mock.calls.length, { timeout: 15_000 }).toBeGreaterThan(0);
    await allow(ada);
    server.kill('SIGHUP');
    await expect.poll(() => restored.mock.calls.length, { timeout: 15_000 }).toBe(count + 1);
    expect(onGap).toHaveBeenCalledTimes(count + 1);
    await two.publish('lobby', `again ${count}`);
    await expect.poll(() => heard).toContain(`again ${count}`);
  }
  expect(heard).toHaveLength(2);
  await subscription[Symbol.asyncDispose]();
  for (const connection of [mine, theirs]) await connection.close();
  await rm(folder, { recursive: true });
});

/** @throws {Error} saying what to install, where there is no server. */
async function startServer(...args: readonly string[]): Promise<void> {
  server = spawn('nats-server', ['--addr', '127.0.0.1', '--port', String(port), ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new Error('This test needs nats-server: install the package of this name.', { cause })));
    server.stderr?.on('data', (line: Buffer) => line.includes('Server is ready') && resolve());
  });
}

async function stopServer(): Promise<void> {
  const gone = once(server, 'exit');
  server.kill('SIGKILL');
  await gone;
}
