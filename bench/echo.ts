import { checkEcho } from './check.js';
import { EchoLoad } from './load/echo-load.js';
import { openForTime, openIdle } from './load/handshake-load.js';
import { median, rounded, spread, table } from './ratios.js';
import { type Rounds, takeRounds } from './rounds.js';
import { ServerProcess } from './server-process.js';

/** How much is measured. */
export interface EchoPlan extends Rounds {
  /** Length of one slice, in milliseconds, and how many pairs of them a cell of one round has. */
  readonly sliceMs: number;
  readonly slices: number;
  readonly warmUpMs: number;
  /** Connections that talk, and connections that are silent while memory is looked at. */
  readonly connections: number;
  readonly idleConnections: number;
}

const base = 'plain ws';
const candidates = [
  { name: `${base} again (the noise)`, server: 'echo-plain' },
  { name: `${base}, digest and repository`, server: 'echo-digest' },
  { name: `${base}, corked per tick`, server: 'echo-corked' },
  { name: `${base}, one pooled buffer`, server: 'echo-pooled' },
  { name: 'ws-with', server: 'echo-wrapped' },
  { name: 'ws-with, session unchanged', server: 'echo-wrapped-unchanged' },
  { name: 'ws-with, after an await', server: 'echo-wrapped-await' },
] as const;

/** What is measured of one server; the order is that of the table's columns. */
interface Numbers {
  echo1: number;
  echo8: number;
  handshakes: number;
  cpu1: number;
  cpu8: number;
  cpuHandshake: number;
  idle: number;
}

const columns: Readonly<Record<keyof Numbers, string>> = {
  echo1: 'echo, depth 1',
  echo8: 'echo, depth 8',
  handshakes: 'handshakes/s',
  cpu1: 'CPU/message, depth 1',
  cpu8: 'CPU/message, depth 8',
  cpuHandshake: 'CPU/handshake',
  idle: 'RSS/idle connection',
};

/** One server beside another, both fresh. */
interface Pair {
  readonly base: ServerProcess;
  readonly candidate: ServerProcess;
}

type Side = keyof Pair;
const sides: readonly Side[] = ['base', 'candidate'];

/** Measures the echo servers; returns the report. */
export async function compareEcho(plan: EchoPlan): Promise<string> {
  const ratios = new Map<string, Numbers[]>(candidates.map(({ name }) => [name, []]));
  const absolutes: Numbers[] = [];
  const rounds = await takeRounds(plan, async (round) => {
    for (const { name, server } of candidates) {
      await using one = await ServerProcess.start('echo-plain');
      await using other = await ServerProcess.start(server);
      const measured = await measurePair({ base: one, candidate: other }, plan, round % 2 === 1);
      ratios.get(name)?.push(measured.ratios);
      absolutes.push(measured.base);
    }
  });
  const keys = Object.keys(columns) as (keyof Numbers)[];
  const rows = candidates.map(({ name }) => [name, ...keys.map((key) => spread((ratios.get(name) ?? []).map((numbers) => numbers[key])))]);
  const of = (key: keyof Numbers): string => rounded(median(absolutes.map((numbers) => numbers[key])));
  return [
    `## Echo with session and user, as ratios to ${base}: median (min-max) of ${rounds} rounds`,
    '',
    table(['server', ...keys.map((key) => columns[key])], [[base, ...keys.map(() => '1')], ...rows]),
    '',
    'More is better for echo and handshakes; less is better for CPU and RSS.',
    `${base} itself, in this run and on this machine only: ${of('echo1')} round trips/s at depth 1, ${of('echo8')} at depth 8, ` +
      `${of('handshakes')} handshakes/s, ${of('cpu1')} and ${of('cpu8')} µs of CPU per message, ${of('cpuHandshake')} µs per handshake, ${of('idle')} KiB per idle connection.`,
  ].join('\n');
}

async function measurePair(pair: Pair, plan: EchoPlan, reversed: boolean): Promise<{ ratios: Numbers; base: Numbers }> {
  const order = reversed ? [...sides].reverse() : sides;
  for (const side of order) await checkEcho(pair[side].port);
  const idle = await bothSides(order, (side) => bytesPerIdle(pair[side], plan.idleConnections));
  for (const side of order) {
    await openForTime(pair[side].port, plan.warmUpMs);
    await pair[side].settle();
  }
  const handshakes = await slices(plan.slices, order, async (side) => {
    const before = await pair[side].cpu();
    let after = before;
    const { count, perSecond } = await openForTime(pair[side].port, plan.sliceMs, async () => {
      after = await pair[side].cpu();
    });
    await pair[side].settle();
    return [perSecond, (after - before) / count];
  });
  const loads = await bothSides(order, (side) => EchoLoad.open(pair[side].port, plan.connections));
  const echo = async (depth: number): Promise<Readonly<Record<Side, number[]>>> => {
    for (const side of order) await loads[side].run(depth, plan.warmUpMs);
    return slices(plan.slices, order, async (side) => {
      const before = await pair[side].cpu();
      const { count, perSecond } = await loads[side].run(depth, plan.sliceMs);
      return [perSecond, ((await pair[side].cpu()) - before) / count];
    });
  };
  const [one, eight] = [await echo(1), await echo(8)];
  for (const side of sides) loads[side].close();
  const numbersOf = (side: Side): Numbers => ({
    echo1: one[side][0] as number,
    echo8: eight[side][0] as number,
    handshakes: handshakes[side][0] as number,
    cpu1: one[side][1] as number,
    cpu8: eight[side][1] as number,
    cpuHandshake: handshakes[side][1] as number,
    idle: idle[side] / 1_024,
  });
  const [left, right] = [numbersOf('base'), numbersOf('candidate')];
  const ratios = Object.fromEntries(Object.entries(right).map(([key, value]) => [key, value / left[key as keyof Numbers]]));
  return { ratios: ratios as unknown as Numbers, base: left };
}

async function bothSides<T>(order: readonly Side[], measure: (side: Side) => Promise<T>): Promise<Record<Side, T>> {
  const [first, second] = order as [Side, Side];
  const results = { [first]: await measure(first), [second]: await measure(second) };
  return results as Record<Side, T>;
}

/** Turns of short slices, one side next to the other; of each number the median. */
async function slices(
  count: number,
  order: readonly Side[],
  measure: (side: Side) => Promise<number[]>,
): Promise<Readonly<Record<Side, number[]>>> {
  const all: Record<Side, number[][]> = { base: [], candidate: [] };
  for (let slice = 0; slice < count; slice += 1) {
    for (const side of order) all[side].push(await measure(side));
  }
  const medians = (measured: number[][]): number[] =>
    (measured[0] ?? []).map((_, index) => median(measured.map((numbers) => numbers[index] ?? Number.NaN)));
  return { base: medians(all.base), candidate: medians(all.candidate) };
}

async function bytesPerIdle(server: ServerProcess, count: number): Promise<number> {
  // What the first connections load and compile is not what a connection costs.
  (await openIdle(server.port, 100)).close();
  await server.settle();
  const before = await server.rss();
  const idle = await openIdle(server.port, count);
  const after = await server.rss();
  idle.close();
  await server.settle();
  return (after - before) / count;
}
