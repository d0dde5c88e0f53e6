// Connects and disconnects many thousand times, half of the clients aborted at a random point, then sends messages that change sessions; both ways in.
// Afterwards nothing may be left: no channel, record or listener, and no more heap than after the first tenth.
//   npm run soak -- --cycles 100000 --messages 1000000 --seed 1
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { WebSocketServer } from 'ws';
import { ChannelServer, tokenIdOf, withAuthenticatedUser, withChannelUser, withUserFromToken } from 'ws-with';
import { MemorySessionStore, MemoryTokenRepository, MemoryUserRepository } from 'ws-with/memory';
import { SoakClient } from './soak-client.mjs';

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '100000' },
    messages: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '30' },
  },
});
const [cycles, messages, seed, minutes] = [values.cycles, values.messages, values.seed, values.minutes].map(Number);
const atOnce = 100;
const users = ['ann', 'bob', 'cem', 'dee'];
const maxGrowth = 1.1;

setTimeout(() => {
  console.error(`not done after ${minutes} minutes`);
  process.exit(1);
}, minutes * 60_000).unref();

/** The same numbers for the same seed (mulberry32). */
let state = seed;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
}

const keyOf = (user) => `${user}-${'0'.repeat(36)}`;
const tokens = new MemoryTokenRepository({ users: new MemoryUserRepository(users.map((id) => ({ id, isAuthenticated: true }))) });
for (const user of users) tokens.add(keyOf(user), user);

const errors = [];
const seen = { connects: 0, disconnects: 0, receives: 0 };

function serve(scope) {
  const store = new MemorySessionStore();
  const channels = new ChannelServer(
    {
      connect: withUserFromToken({ tokens })(
        withAuthenticatedUser(() => {
          seen.connects += 1;
        }),
      ),
      receive: withChannelUser((message) => {
        seen.receives += 1;
        message.channelSession.update('count', (count) => Number(count ?? 0) + 1);
        message.channel.send(message.text);
      }),
      disconnect: withChannelUser(() => {
        seen.disconnects += 1;
      }),
    },
    { session: { store, scope }, onError: (error) => errors.push(error), onWarning: (warning) => errors.push(warning) },
  );
  return { store, channels };
}

const byUpgrade = serve('channel');
const byAccept = serve('user');
const [upgrading, accepting] = [createServer(), createServer()];
byUpgrade.channels.handleUpgrades(upgrading);
const webSockets = new WebSocketServer({ server: accepting, clientTracking: false });
webSockets.on('connection', byAccept.channels.accept);
const ports = [];
for (const server of [upgrading, accepting]) {
  await once(server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 }), 'listening');
  ports.push(server.address().port);
}

/** What must be as before when all clients are gone. */
function listeners() {
  return [process, upgrading, accepting, webSockets].map((emitter) =>
    emitter
      .eventNames()
      .map((name) => `${String(name)} ${emitter.listenerCount(name)}`)
      .sort()
      .join(),
  );
}

async function until(isSo, what) {
  for (let turn = 0; turn < 3_000; turn += 1) {
    if (isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${what} after half a minute`);
}

async function heap() {
  const isEmpty = () => byUpgrade.channels.channels.size + byAccept.channels.channels.size === 0;
  await until(isEmpty, 'channels are left');
  for (let turn = 0; turn < 4; turn += 1) {
    await nextTurn();
    globalThis.gc();
  }
  return process.memoryUsage().heapUsed;
}

async function inParallel(count, run) {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      next += 1;
      await run(next);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
}

const clientFor = (index) => new SoakClient(ports[index % 2], keyOf(users[(index >> 1) % users.length]), random);

async function cycle(index) {
  const client = clientFor(index);
  if (random() < 0.5) await client.abortSomewhere();
  else await client.visit(`hello ${index}`);
}

/** Runs `step` for each tenth of `count`, and holds the heap after each against that after the first. */
async function inTenths(name, count, step) {
  let first;
  for (let tenth = 1; tenth <= 10; tenth += 1) {
    const begun = performance.now();
    await step(Math.ceil(count / 10));
    const seconds = (performance.now() - begun) / 1_000;
    const used = await heap();
    first ??= used;
    console.log(
      `${name} ${tenth}/10: ${seconds.toFixed(1)} s, heap ${(used / 1e6).toFixed(2)} MB, ${(used / first).toFixed(3)} of the first`,
    );
    if (used > maxGrowth * first) throw new Error(`the heap grew to ${(used / first).toFixed(2)} of what it was after the first tenth`);
  }
}

const before = listeners();
await inParallel(500, cycle); // what is made once is made before it is counted
await inTenths('cycles', cycles, (count) => inParallel(count, cycle));
await inTenths('messages', messages, async (count) => {
  const clients = 20;
  await Promise.all(Array.from({ length: clients }, (_, index) => clientFor(index).converse(Math.ceil(count / clients), 50)));
});

await heap();
const left = {
  channels: byUpgrade.channels.channels.size + byAccept.channels.channels.size,
  connecting: users.flatMap((user) => [byUpgrade, byAccept].flatMap(({ channels }) => channels.channels.ofUser(user))).length,
  byToken: users.flatMap((user) => [byUpgrade, byAccept].flatMap(({ channels }) => channels.channels.ofToken(tokenIdOf(keyOf(user)))))
    .length,
  records: byUpgrade.store.size,
  sharedRecords: byAccept.store.size - users.length,
  disconnects: seen.connects - seen.disconnects,
  listeners: JSON.stringify(listeners()) === JSON.stringify(before) ? 0 : listeners(),
  errors: errors.length === 0 ? 0 : errors.slice(0, 3).map(String),
};
console.log(JSON.stringify({ seen, left }));
await Promise.all([byUpgrade.channels.close(), byAccept.channels.close()]);
for (const server of [upgrading, accepting]) {
  server.closeAllConnections();
  server.close();
}
if (Object.values(left).some((value) => value !== 0)) throw new Error('something is left');
