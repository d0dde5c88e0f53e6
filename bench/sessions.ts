import { type ComparePlan, type Contender, compare } from './compare.js';
import { openRedis } from './open-redis.js';
import { OwnDatabase } from './own-database.js';

const base: Contender = { name: 'memory, unchanged', server: 'session-memory', args: ['unchanged'] };

/**
 * Measures sessions in each kind of store, changed by each message or not; returns the report.
 *
 * @param mongodbUrl of a server, where there is one.
 */
export async function compareSessions(mongodbUrl: string | undefined, plan: ComparePlan): Promise<string> {
  await using own = mongodbUrl === undefined ? undefined : await OwnDatabase.open(mongodbUrl);
  const started = await openRedis().catch((error: Error) => error);
  await using redis = started instanceof Error ? undefined : started;
  const candidates: Contender[] = [
    { ...base, name: `${base.name}, again (the noise)` },
    { name: 'memory, changed', server: 'session-memory', args: ['changed'] },
    ...(own === undefined ? [] : inStore('MongoDB', 'session-mongodb', mongodbUrl as string, own.db.databaseName)),
    ...(redis === undefined ? [] : inStore('Redis', 'session-redis', redis.url)),
  ];
  const { table, rounds, baseOf } = await compare({ base, candidates, job: 'messages' }, plan);
  return [
    `## A session that each message reads, and changes or not, as ratios to ${base.name}: median (min-max) of ${rounds} rounds`,
    '',
    table,
    '',
    `${base.name}, in this run: ${baseOf('cpu1')} and ${baseOf('cpu8')} µs of CPU per message. The CPU is that of the server, not of its database.`,
    ...(own === undefined ? ['Nothing on MongoDB: there is none here.'] : []),
    ...(started instanceof Error ? [`Nothing on Redis: ${started.message}`] : []),
  ].join('\n');
}

function inStore(store: string, server: string, ...args: readonly string[]): readonly Contender[] {
  return ['unchanged', 'changed'].map((what) => ({ name: `${store}, ${what}`, server, args: [...args, what] }));
}
