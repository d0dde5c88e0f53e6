import { checkEcho } from './check.js';
import type { Dialect } from './load/dialect.js';
import { EchoLoad } from './load/echo-load.js';
import { openForTime, openIdle } from './load/handshake-load.js';
import { median } from './ratios.js';
import type { ServerProcess } from './server-process.js';

/** What can be measured of a server, and its column's title. */
export const columns = {
  echo1: 'echo, depth 1',
  echo8: 'echo, depth 8',
  handshakes: 'handshakes/s',
  cpu1: 'CPU/message, depth 1',
  cpu8: 'CPU/message, depth 8',
  cpuHandshake: 'CPU/handshake',
  latency: 'p50 at 1,000/s',
  idle: 'RSS/idle connection',
} as const;
export type Column = keyof typeof columns;
export type Numbers = Readonly<Record<Column, number>>;

/** What is done to a server: messages alone, or all of it. */
export type Job = 'messages' | 'all';

/** For how long each thing is done. */
export interface PairPlan {
  /** Length of one slice, in milliseconds, and how many pairs of them a cell of one round has. */
  readonly sliceMs: number;
  readonly slices: number;
  readonly warmUpMs: number;
  /**
   * How many handshakes come before those that are measured, on either side: the memory cell collects garbage, and V8 drops compiled code
   * then.
   */
  readonly warmUpHandshakes: number;
  /** Connections that talk, and connections that are silent while memory is looked at. */
  readonly connections: number;
  readonly idleConnections: number;
}

/** A server that is measured, and how it is spoken to. */
export interface Measured {
  readonly server: ServerProcess;
  readonly dialect: Dialect;
}

const messagesPerSecond = 1_000;

/** Measures two fresh servers in turns, one slice of each next to the other; returns the medians of each. */
export async function measurePair(
  pair: readonly [Measured, Measured],
  plan: PairPlan,
  job: Job,
): Promise<[Partial<Numbers>, Partial<Numbers>]> {
  for (const { server, dialect } of pair) await checkEcho(server.port, dialect);
  const wholes = job === 'all' ? [await memory(pair, plan), await handshakes(pair, plan)] : [];
  const loads = await inTurn(pair, ({ server, dialect }) => EchoLoad.open(server.port, plan.connections, dialect));
  const talk = pair.map(({ server }, side) => ({ server, load: loads[side] as EchoLoad })) as [Talk, Talk];
  const one = await echo(talk, plan, 1);
  const eight = await echo(talk, plan, 8);
  const late = job === 'all' ? [await latency(talk, plan)] : [];
  for (const load of loads) load.close();
  const depth1 = one.map(([echo1, cpu1]) => ({ echo1, cpu1 }));
  const depth8 = eight.map(([echo8, cpu8]) => ({ echo8, cpu8 }));
  const merged = (side: 0 | 1): Partial<Numbers> => Object.assign({}, ...[...wholes, depth1, depth8, ...late].map((part) => part[side]));
  return [merged(0), merged(1)];
}

/** A server, and the connections that talk to it. */
interface Talk {
  readonly server: ServerProcess;
  readonly load: EchoLoad;
}

async function inTurn<T, R>(pair: readonly [T, T], each: (one: T) => Promise<R>): Promise<[R, R]> {
  const first = await each(pair[0]);
  return [first, await each(pair[1])];
}

/** Turns of short slices, one side next to the other; of each number the median. */
async function slices<T>(count: number, pair: readonly [T, T], measure: (one: T) => Promise<number[]>): Promise<[number[], number[]]> {
  const all: [number[][], number[][]] = [[], []];
  for (let slice = 0; slice < count; slice += 1) {
    all[0].push(await measure(pair[0]));
    all[1].push(await measure(pair[1]));
  }
  const medians = (measured: number[][]): number[] =>
    (measured[0] ?? []).map((_, index) => median(measured.map((numbers) => numbers[index] ?? Number.NaN)));
  return [medians(all[0]), medians(all[1])];
}

async function memory(pair: readonly [Measured, Measured], plan: PairPlan): Promise<Partial<Numbers>[]> {
  const bytes = await inTurn(pair, async ({ server, dialect }) => {
    // what the first connections load and compile is not what a connection costs
    (await openIdle(server.port, 100, dialect)).close();
    await server.settle();
    const before = await server.rss();
    const idle = await openIdle(server.port, plan.idleConnections, dialect);
    const after = await server.rss();
    idle.close();
    await server.settle();
    return (after - before) / plan.idleConnections;
  });
  return bytes.map((each) => ({ idle: each / 1_024 }));
}

async function handshakes(pair: readonly [Measured, Measured], plan: PairPlan): Promise<Partial<Numbers>[]> {
  for (let left = plan.warmUpHandshakes; left > 0; left -= 1_000) {
    for (const { server, dialect } of pair) {
      (await openIdle(server.port, Math.min(left, 1_000), dialect)).close();
      await server.settle();
    }
  }
  const measured = await slices(plan.slices, pair, async ({ server, dialect }) => {
    const before = await server.cpu();
    let after = before;
    const { count, perSecond } = await openForTime(server.port, plan.sliceMs, dialect, async () => {
      after = await server.cpu();
    });
    await server.settle();
    return [perSecond, (after - before) / count];
  });
  return measured.map(([perSecond, cpuHandshake]) => ({ handshakes: perSecond as number, cpuHandshake: cpuHandshake as number }));
}

async function echo(pair: readonly [Talk, Talk], plan: PairPlan, depth: number): Promise<[number[], number[]]> {
  for (const { load } of pair) await load.run(depth, plan.warmUpMs);
  return slices(plan.slices, pair, async ({ server, load }) => {
    const before = await server.cpu();
    const { count, perSecond } = await load.run(depth, plan.sliceMs);
    return [perSecond, ((await server.cpu()) - before) / count];
  });
}

async function latency(pair: readonly [Talk, Talk], plan: PairPlan): Promise<Partial<Numbers>[]> {
  for (const { load } of pair) await load.runAt(messagesPerSecond, plan.warmUpMs);
  const measured = await slices(plan.slices, pair, async ({ load }) => [median(await load.runAt(messagesPerSecond, plan.sliceMs))]);
  return measured.map(([p50]) => ({ latency: p50 as number }));
}
