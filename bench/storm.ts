import type { Db } from 'mongodb';
import { tokenIdOf } from 'ws-with';
import type { Mongod } from '../test/support/mongod.js';
import { accountCount, keyOf, nameOf } from './accounts.js';
import { checkRefusal } from './check.js';
import { handshakesOf, storm } from './load/storm-load.js';
import { OwnDatabase } from './own-database.js';
import { median, rounded, spread, table } from './ratios.js';
import { type Rounds, takeRounds } from './rounds.js';
import { ServerProcess } from './server-process.js';

/** How much is measured. */
export interface StormPlan extends Rounds {
  /** How many clients connect at once: one storm after the other. */
  readonly sizes: readonly number[];
}

const naive = 'plain ws, two findOne each (naive)';
const memory = 'ws-with, tokens in memory';
const contenders = [
  { name: naive, server: 'storm-naive' },
  { name: memory, server: 'storm-memory' },
  { name: `${memory}, again (the noise)`, server: 'storm-memory' },
  { name: 'ws-with, MongoTokenRepository', server: 'storm-mongodb' },
] as const;

/** One storm: how long it took until all clients were identified, and how many commands MongoDB got meanwhile. */
interface Storm {
  readonly ms: number;
  readonly commands: number;
}

/** Storms of clients that connect at once, on a MongoDB at `url`; returns the report. */
export async function compareStorms(mongod: Pick<Mongod, 'url' | 'description'>, plan: StormPlan): Promise<string> {
  await using own = await OwnDatabase.open(mongod.url);
  await seed(own.db);
  const { storms, rounds } = await measureAll(own.db, mongod.url, plan);
  const parts = plan.sizes.map((size) => report(size, rounds, (name) => storms.get(`${name} ${size}`) ?? []));
  return [`Storms on ${mongod.description}, ${accountCount.toLocaleString('en')} tokens`, ...parts].join('\n\n');
}

async function measureAll(db: Db, url: string, plan: StormPlan): Promise<{ storms: Map<string, Storm[]>; rounds: number }> {
  const storms = new Map<string, Storm[]>();
  const rounds = await takeRounds(plan, async (round) => {
    const running: { name: string; server: ServerProcess }[] = [];
    try {
      for (const { name, server } of contenders) running.push({ name, server: await ServerProcess.start(server, url, db.databaseName) });
      for (const { server } of running) {
        await checkRefusal(server.port);
        await measure(db, server, plan.sizes[0] ?? 0); // what a first storm loads, compiles and connects is not its cost
      }
      for (const size of plan.sizes) {
        for (const { name, server } of round % 2 === 0 ? running : running.toReversed()) {
          const key = `${name} ${size}`;
          storms.set(key, [...(storms.get(key) ?? []), await measure(db, server, size)]);
        }
      }
    } finally {
      for (const { server } of running) await server[Symbol.asyncDispose]();
    }
  });
  return { storms, rounds };
}

async function measure(db: Db, server: ServerProcess, size: number): Promise<Storm> {
  const handshakes = handshakesOf(size);
  const before = await commandsSoFar(db);
  const ms = await storm(server.port, handshakes);
  const commands = (await commandsSoFar(db)) - before;
  await server.settle();
  return { ms, commands };
}

function report(size: number, rounds: number, stormsOf: (name: string) => readonly Storm[]): string {
  const times = (name: string): number[] => stormsOf(name).map(({ ms }) => ms);
  const ratio = (name: string, to: string): string => {
    const base = times(to);
    return name === to ? '1' : spread(times(name).map((ms, round) => ms / (base[round] ?? Number.NaN)));
  };
  const faster = (name: string): string => {
    const base = times(naive);
    return name === naive ? '1' : spread(times(name).map((ms, round) => (base[round] ?? Number.NaN) / ms));
  };
  const rows = contenders.map(({ name }) => [
    name,
    ratio(name, memory),
    faster(name),
    spread(
      stormsOf(name).map(({ commands }) => commands),
      (value) => Math.round(value).toLocaleString('en'),
    ),
    rounded(median(times(name))),
  ]);
  const head = ['server', 'time / memory', 'naive / time', 'commands', 'ms in this run'];
  return `## ${size.toLocaleString('en')} clients connect at once: median (min-max) of ${rounds} rounds\n\n${table(head, rows)}`;
}

/** Puts every account's token and user into the database. */
export async function seed(db: Db): Promise<void> {
  const accounts = Array.from({ length: accountCount }, (_, index) => index);
  const createdAt = new Date();
  await db
    .collection<{ _id: string; userId: string; createdAt: Date }>('tokens')
    .insertMany(accounts.map((index) => ({ _id: tokenIdOf(keyOf(index)), userId: String(index), createdAt })));
  await db
    .collection<{ _id: string; name: string }>('users')
    .insertMany(accounts.map((index) => ({ _id: String(index), name: nameOf(index) })));
}

/** Those that read or write. */
const counted = ['find', 'aggregate', 'getMore', 'insert', 'update', 'delete', 'findAndModify'] as const;

/** How many commands MongoDB has got of those that read or write; it counts them itself, so that counting slows no server down. */
export async function commandsSoFar(db: Db, names: readonly string[] = counted): Promise<number> {
  const { metrics } = await db.admin().command({ serverStatus: 1 });
  const commands = metrics.commands as Record<string, { total: number | bigint } | undefined>;
  return names.reduce((sum, name) => sum + Number(commands[name]?.total ?? 0), 0);
}
