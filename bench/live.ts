import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Db } from 'mongodb';
import { WebSocket } from 'ws';
import { tokenIdOf } from 'ws-with';
import type { Mongod } from '../test/support/mongod.js';
import { accountCount, keyOf } from './accounts.js';
import { handshakeWith, RawConnection } from './load/raw-connection.js';
import { someAtATime } from './load/some-at-a-time.js';
import { OwnDatabase } from './own-database.js';
import { median, rounded } from './ratios.js';
import { ServerProcess } from './server-process.js';
import { commandsSoFar, seed } from './storm.js';

/** How much is measured. */
export interface LivePlan {
  /** How many tokens are revoked, one after the other. */
  readonly revocations: number;
  /** How many live channels are looked up again. */
  readonly channels: number;
  /** How many channels have tokens that end in the same moment. */
  readonly ending: number;
}

/** How long channels have for connecting before their tokens end. */
const connectingMs = 25_000;
/** What a look-up is. MongoDB has finds of its own now and then, and the streams of the feed ask for more all the time. */
const lookUps = ['aggregate'];

/** Two server processes on a MongoDB at `url`: tokens revoked on one, whose sockets the other has; returns the report. */
export async function measureLive(mongod: Pick<Mongod, 'url' | 'description'>, plan: LivePlan): Promise<string> {
  await using own = await OwnDatabase.open(mongod.url);
  const { db } = own;
  await seed(db);
  await db.createCollection('sessions');
  await using one = await ServerProcess.start('live-mongodb', mongod.url, db.databaseName);
  await using other = await ServerProcess.start('live-mongodb', mongod.url, db.databaseName);
  const times = await timesToClose(one.port, other.port, plan.revocations);
  const { commands, ms } = await sweep(db, other.port, plan.channels);
  const ended = await endTogether(db, other, plan.ending);
  return [
    `Live channels on ${mongod.description}, two server processes`,
    `A token revoked on one, its socket on the other closed: median ${rounded(median(times))} ms, worst ${rounded(Math.max(...times))} ms of ${times.length}`,
    `${plan.channels.toLocaleString('en')} live channels looked up again: ${commands} commands, ${rounded(ms)} ms`,
    `${plan.ending.toLocaleString('en')} live channels whose tokens end in the same moment: ${ended.commands} commands, the longest stall ${rounded(ended.stallMs)} ms`,
  ].join('\n\n');
}

async function open(port: number, index: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { headers: { cookie: `key=${keyOf(index)}` } });
  await once(socket, 'message');
  return socket;
}

/** From sending the request to the one process until the socket at the other is closed, in milliseconds. */
async function timesToClose(revokingPort: number, port: number, count: number): Promise<number[]> {
  const revoking = await open(revokingPort, 0);
  const times: number[] = [];
  for (let index = 1; index <= count; index += 1) {
    const socket = await open(port, index);
    const closed = once(socket, 'close') as Promise<[code: number]>;
    const start = performance.now();
    revoking.send(tokenIdOf(keyOf(index)));
    const [code] = await closed;
    times.push(performance.now() - start);
    if (code !== 3000) throw new Error(`A socket was closed with ${code}, not as one whose token was revoked.`);
  }
  revoking.terminate();
  return times;
}

/** Has all channels of the process at `port` looked up again, by a gap in its feed, and counts what that costs. */
async function sweep(db: Db, port: number, count: number): Promise<{ readonly commands: number; readonly ms: number }> {
  const first = accountCount - count; // past those that were revoked
  const connections: RawConnection[] = [];
  const handshakes = Array.from({ length: count }, (_, index) => handshakeWith(keyOf(first + index)));
  await someAtATime(handshakes, async (handshake) => void connections.push(await RawConnection.open(port, handshake)));
  await delay(2_000); // for what the handshakes leave to be done
  const before = await commandsSoFar(db, lookUps);
  const start = performance.now();
  await db.collection('sessions').drop();
  let commands = 0;
  let last = start;
  while (commands === 0 || performance.now() - last < 3_000) {
    if (performance.now() - start > 30_000) throw new Error('No channel was looked up again.');
    const now = (await commandsSoFar(db, lookUps)) - before;
    if (now !== commands) last = performance.now();
    commands = now;
    await delay(5);
  }
  for (const connection of connections) connection.drop();
  return { commands, ms: last - start };
}

/**
 * Has the tokens of `count` channels end in the same moment; counts the look-ups, and measures how long the server stands still at most.
 */
async function endTogether(db: Db, server: ServerProcess, count: number): Promise<{ readonly commands: number; readonly stallMs: number }> {
  const first = accountCount - count;
  const keys = Array.from({ length: count }, (_, index) => keyOf(first + index));
  const end = Date.now() + connectingMs;
  const ids = keys.map((key) => tokenIdOf(key) as string);
  await db.collection<{ _id: string }>('tokens').updateMany({ _id: { $in: ids } }, { $set: { expiresAt: new Date(end) } });
  let frames = 0;
  await someAtATime(keys, async (key) => {
    const connection = await RawConnection.open(server.port, handshakeWith(key));
    connection.onFrames = (arrived) => {
      frames += arrived;
    };
  });
  if (Date.now() > end - 1_000) throw new Error('Connecting took so long that tokens ended meanwhile.');
  await delay(1_000);
  const atRest = frames;
  const before = await commandsSoFar(db, lookUps);
  await server.stall();
  while (frames < atRest + count) {
    if (Date.now() > end + 30_000) throw new Error(`Of ${count} channels ${frames - atRest} have ended.`);
    await delay(50);
  }
  return { commands: (await commandsSoFar(db, lookUps)) - before, stallMs: await server.stall() };
}
