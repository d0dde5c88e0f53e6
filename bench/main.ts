// The benchmarks: `npm run bench` for all, `npm run bench -- echo` or another name for one, `-- --quick`.
import { createRequire } from 'node:module';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { Mongod } from '../test/support/mongod.js';
import type { ComparePlan } from './compare.js';
import { compareEcho, comparePeers } from './echo.js';
import { compareFanOut, type FanOutPlan } from './fan-out.js';
import { describeJourney, measureJourneys } from './journey.js';
import { type LivePlan, measureLive } from './live.js';
import { canPin, pinLoad } from './server-process.js';
import { compareSessions } from './sessions.js';
import { compareStorms, type StormPlan } from './storm.js';
import { measureTypes } from './types.js';

interface Plan {
  readonly echo: ComparePlan;
  readonly storm: StormPlan;
  readonly live: LivePlan;
  readonly fanOut: FanOutPlan;
}

const full: Plan = {
  echo: {
    rounds: 5,
    budgetMs: 75_000,
    sliceMs: 200,
    slices: 4,
    warmUpMs: 600,
    warmUpHandshakes: 8_000,
    connections: 50,
    idleConnections: 5_000,
  },
  storm: { rounds: 5, budgetMs: 45_000, sizes: [1_000, 5_000] },
  live: { revocations: 100, channels: 10_000, ending: 5_000 },
  fanOut: { rounds: 3, budgetMs: 60_000, sizes: [1_000, 10_000], sliceMs: 500, slices: 4 },
};
/** Whether everything runs; the numbers say nothing. */
const quick: Plan = {
  echo: { rounds: 1, budgetMs: 0, sliceMs: 40, slices: 1, warmUpMs: 20, warmUpHandshakes: 20, connections: 8, idleConnections: 500 },
  storm: { rounds: 1, budgetMs: 0, sizes: [100, 200] },
  live: { revocations: 3, channels: 200, ending: 100 },
  fanOut: { rounds: 1, budgetMs: 0, sizes: [20], sliceMs: 20, slices: 1 },
};

const benchmarks = ['journey', 'types', 'storm', 'live', 'sessions', 'echo', 'peers', 'fan-out'];
const usage = `npm run bench -- ${benchmarks.map((name) => `[${name}]`).join(' ')} [--quick] [--rounds N]`;

function readArguments(): { readonly wanted: readonly string[]; readonly plan: Plan } {
  const { values, positionals } = parseArgs({
    options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' } },
    allowPositionals: true,
  });
  const unknown = positionals.find((name) => !benchmarks.includes(name));
  if (unknown !== undefined) throw new TypeError(`There is no benchmark ${unknown}. ${usage}`);
  const plan = values.quick ? quick : full;
  if (values.rounds === undefined) return { wanted: positionals, plan };
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new TypeError(`--rounds must be an integer from 1, got ${values.rounds}. ${usage}`);
  const asked = { rounds, budgetMs: Number.POSITIVE_INFINITY }; // who asks for rounds gets them, whatever they take
  return {
    wanted: positionals,
    plan: { ...plan, echo: { ...plan.echo, ...asked }, storm: { ...plan.storm, ...asked }, fanOut: { ...plan.fanOut, ...asked } },
  };
}

/** Both sides must run on one copy of ws, or its version would be what is compared. */
function versionOfWs(): string {
  const own = createRequire(import.meta.url);
  const wrapped = createRequire(import.meta.resolve('ws-with'));
  if (own.resolve('ws') !== wrapped.resolve('ws')) throw new Error('The servers by hand and ws-with would run on two copies of ws.');
  return (own('ws/package.json') as { version: string }).version;
}

/** A MongoDB for the storms: that at `MONGODB_URL`, or one of our own. */
async function openMongod(): Promise<(Pick<Mongod, 'url' | 'description'> & AsyncDisposable) | Error> {
  const url = process.env['MONGODB_URL'];
  if (url) return { url, description: 'the MongoDB at MONGODB_URL', [Symbol.asyncDispose]: async () => {} };
  const { startMongod } = await import('../test/support/mongod.js');
  return startMongod({ mayBeInMemory: false }).catch((error: Error) => error);
}

const { wanted, plan } = readArguments();
const all = wanted.length === 0;
const wants = (...names: readonly string[]): boolean => all || names.some((name) => wanted.includes(name));
const placing = canPin ? 'server on CPU 0, load on CPU 1' : 'processes are not tied to CPUs here: expect more noise';
console.log(`ws ${versionOfWs()}, Node ${process.versions.node}, ${availableParallelism()} × ${cpus()[0]?.model ?? 'CPU'}; ${placing}\n`);

const [load = 0] = loadavg();
if (load > 0.5) console.log(`This machine was busy before the run (load average ${load.toFixed(1)}): expect noise.\n`);

if (wants('journey')) {
  const { handshake, firstMessage, message } = await measureJourneys();
  const parts = [
    describeJourney('A handshake', handshake),
    describeJourney("A channel's first message", firstMessage),
    describeJourney('A message', message),
  ];
  console.log(`${parts.join('\n\n')}\n`);
}
if (wants('types')) console.log(`${await measureTypes()}\n`);
if (wants('storm', 'live', 'sessions')) {
  // started before this process is tied to a CPU, which its children would inherit
  const started = await openMongod();
  pinLoad();
  await using mongod = started instanceof Error ? undefined : started;
  if (mongod !== undefined) {
    if (wants('storm')) console.log(`${await compareStorms(mongod, plan.storm)}\n`);
    if (wants('live')) console.log(`${await measureLive(mongod, plan.live)}\n`);
  } else if (!all && wants('storm', 'live')) throw started;
  else console.log(`Nothing on MongoDB: ${(started as Error).message}\n`);
  if (wants('sessions')) console.log(`${await compareSessions(mongod?.url, plan.echo)}\n`);
}
pinLoad();
if (wants('echo')) console.log(`${await compareEcho(plan.echo)}\n`);
if (wants('peers')) console.log(`${await comparePeers(plan.echo)}\n`);
if (wants('fan-out')) console.log(`${await compareFanOut(plan.fanOut)}\n`);
