import { type Dialect, plain } from './load/dialect.js';
import { type Column, columns, type Job, measurePair, type Numbers, type PairPlan } from './measure-pair.js';
import { median, rounded, spread, table } from './ratios.js';
import { type Rounds, takeRounds } from './rounds.js';
import { ServerProcess } from './server-process.js';

/** How much is measured. */
export interface ComparePlan extends Rounds, PairPlan {}

/** A server beside others: its row's name, its program with arguments, and how it is spoken to. */
export interface Contender {
  readonly name: string;
  readonly server: string;
  readonly args?: readonly string[];
  readonly dialect?: Dialect;
}

/** What is compared with what. */
export interface Comparison {
  readonly base: Contender;
  readonly candidates: readonly Contender[];
  readonly job: Job;
}

/** One round after the other, each candidate beside a fresh base; a table of ratios, and the base's own figures. */
export interface Compared {
  readonly table: string;
  readonly rounds: number;
  /** The base's median, rounded. */
  readonly baseOf: (column: Column) => string;
}

/** Measures each candidate beside a base of its own. */
export async function compare({ base, candidates, job }: Comparison, plan: ComparePlan): Promise<Compared> {
  const ratios = new Map<string, Partial<Numbers>[]>(candidates.map(({ name }) => [name, []]));
  const absolutes: Partial<Numbers>[] = [];
  const rounds = await takeRounds(plan, async (round) => {
    for (const candidate of candidates) {
      await using one = await start(base);
      await using other = await start(candidate);
      const left = { server: one, dialect: base.dialect ?? plain };
      const right = { server: other, dialect: candidate.dialect ?? plain };
      const isReversed = round % 2 === 1;
      const measured = await measurePair(isReversed ? [right, left] : [left, right], plan, job);
      const [own, its] = isReversed ? [measured[1], measured[0]] : measured;
      absolutes.push(own);
      ratios.get(candidate.name)?.push(ratio(its, own));
    }
  });
  const keys = (Object.keys(columns) as Column[]).filter((column) => absolutes[0]?.[column] !== undefined);
  const rows = candidates.map(({ name }) => [
    name,
    ...keys.map((key) => spread((ratios.get(name) ?? []).map((numbers) => numbers[key] ?? Number.NaN))),
  ]);
  return {
    table: table(['server', ...keys.map((key) => columns[key])], [[base.name, ...keys.map(() => '1')], ...rows]),
    rounds,
    baseOf: (column) => rounded(median(absolutes.map((numbers) => numbers[column] ?? Number.NaN))),
  };
}

function start({ server, args = [] }: Contender): Promise<ServerProcess> {
  return ServerProcess.start(server, ...args);
}

function ratio(candidate: Partial<Numbers>, base: Partial<Numbers>): Partial<Numbers> {
  const keys = Object.keys(candidate) as Column[];
  return Object.fromEntries(keys.map((key) => [key, (candidate[key] ?? Number.NaN) / (base[key] ?? Number.NaN)]));
}
