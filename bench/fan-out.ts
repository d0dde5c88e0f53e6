import { plain, socketIo } from './load/dialect.js';
import { FanOutLoad, type Speech } from './load/fan-out-load.js';
import { type OpenRedis, openRedis } from './open-redis.js';
import { median, rounded, spread, table } from './ratios.js';
import { type Rounds, takeRounds } from './rounds.js';
import { ServerProcess } from './server-process.js';

/** How much is measured. */
export interface FanOutPlan extends Rounds {
  /** How many members the rooms have. */
  readonly sizes: readonly number[];
  /** Length of one slice, in milliseconds, and how many pairs of them a cell of one round has. */
  readonly sliceMs: number;
  readonly slices: number;
}

const base = 'ws.send to each by hand';
const candidates = [
  { name: `${base} again (the noise)`, server: 'fan-out-plain', dialect: plain },
  { name: 'crossws, publish', server: 'fan-out-crossws', dialect: plain },
  { name: 'Socket.IO, room', server: 'fan-out-socket-io', dialect: socketIo },
  { name: 'ws-with, Groups', server: 'fan-out-wrapped', dialect: plain },
] as const;

/** What is measured of a room, each with its title. */
type Speeches = Readonly<Record<string, Speech>>;

const ofOne: Speeches = { 'depth 1': { speakers: 1, depth: 1 }, 'depth 8': { speakers: 1, depth: 8 } };
const ofMany: Speeches = { ...ofOne, '100 speak': { speakers: 100, depth: 1 } };

function columnsOf(speeches: Speeches): string[] {
  return Object.keys(speeches).flatMap((title) => [`delivered, ${title}`, `CPU/delivery, ${title}`]);
}

/** Deliveries per second, and CPU of the server for each, of each speech. */
type Numbers = readonly number[];

/** Measures rooms of each size; returns the report. */
export async function compareFanOut(plan: FanOutPlan): Promise<string> {
  const reports: string[] = [];
  for (const size of plan.sizes) reports.push(await compareRooms(size, plan).catch((error: unknown) => withoutFiles(size, error)));
  reports.push(await compareProcesses(plan.sizes[0] as number, plan));
  return reports.join('\n\n');
}

/** What is said of a room that needs more open files than the system lets this process have. */
function withoutFiles(size: number, error: unknown): string {
  if ((error as NodeJS.ErrnoException).code !== 'EMFILE') throw error;
  return `Nothing of rooms of ${size.toLocaleString('en')}: two of them take twice as many open files, and some more (ulimit -n).`;
}

async function compareRooms(size: number, plan: FanOutPlan): Promise<string> {
  const columns = columnsOf(ofMany);
  const ratios = new Map<string, Numbers[]>(candidates.map(({ name }) => [name, []]));
  const absolutes: Numbers[] = [];
  const rounds = await takeRounds(plan, async (round) => {
    for (const { name, server, dialect } of candidates) {
      await using one = await ServerProcess.start('fan-out-plain');
      await using other = await ServerProcess.start(server);
      const rooms = [
        { servers: [one], load: await FanOutLoad.open(one.port, size, plain) },
        { servers: [other], load: await FanOutLoad.open(other.port, size, dialect) },
      ] as const;
      const [left, right] = await measure(rooms, ofMany, plan, round % 2 === 1);
      for (const { load } of rooms) load.close();
      ratios.get(name)?.push(right.map((value, index) => value / (left[index] ?? Number.NaN)));
      absolutes.push(left);
    }
  });
  const rows = candidates.map(({ name }) => [
    name,
    ...columns.map((_, index) => spread((ratios.get(name) ?? []).map((numbers) => numbers[index] ?? Number.NaN))),
  ]);
  const of = (index: number): string => rounded(median(absolutes.map((numbers) => numbers[index] ?? Number.NaN)));
  return [
    `## One or many speak to a room of ${size.toLocaleString('en')}, as ratios to ${base}: median (min-max) of ${rounds} rounds`,
    '',
    table(['server', ...columns], [[base, ...columns.map(() => '1')], ...rows]),
    '',
    `By hand, in this run: ${of(0)} deliveries/s at depth 1, ${of(2)} at depth 8 and ${of(4)} where 100 speak, for ${of(1)}, ${of(3)} and ${of(5)} µs of CPU each.`,
  ].join('\n');
}

/** One speaks in one process, and the members are in another: over Redis, beside Socket.IO's adapter for it. */
async function compareProcesses(size: number, plan: FanOutPlan): Promise<string> {
  let redis: OpenRedis;
  try {
    redis = await openRedis();
  } catch (error) {
    return `Nothing between two processes: ${(error as Error).message}`;
  }
  await using _ = redis;
  const columns = columnsOf(ofOne);
  const ratios: Numbers[] = [];
  const rounds = await takeRounds(plan, async (round) => {
    await using left1 = await ServerProcess.start('fan-out-redis-socket-io', redis.url);
    await using left2 = await ServerProcess.start('fan-out-redis-socket-io', redis.url);
    await using right1 = await ServerProcess.start('fan-out-redis-wrapped', redis.url);
    await using right2 = await ServerProcess.start('fan-out-redis-wrapped', redis.url);
    const rooms = [
      { servers: [left1, left2], load: await FanOutLoad.open(left2.port, size, socketIo, left1.port) },
      { servers: [right1, right2], load: await FanOutLoad.open(right2.port, size, plain, right1.port) },
    ] as const;
    const [base, candidate] = await measure(rooms, ofOne, plan, round % 2 === 1);
    for (const { load } of rooms) load.close();
    ratios.push(candidate.map((value, index) => value / (base[index] ?? Number.NaN)));
  });
  const cells = columns.map((_, index) => spread(ratios.map((numbers) => numbers[index] ?? Number.NaN)));
  return [
    `## One speaks in one process to ${size.toLocaleString('en')} in another, over Redis: median (min-max) of ${rounds} rounds`,
    '',
    table(
      ['server', ...columns],
      [
        ['Socket.IO, @socket.io/redis-adapter', ...columns.map(() => '1')],
        ['ws-with, RedisBroadcaster', ...cells],
      ],
    ),
  ].join('\n');
}

/** A room, in one process or in several. */
interface Room {
  readonly servers: readonly ServerProcess[];
  readonly load: FanOutLoad;
}

/** Turns of short slices, one room next to the other; of each number the median. */
async function measure(
  rooms: readonly [Room, Room],
  speeches: Speeches,
  plan: FanOutPlan,
  reversed: boolean,
): Promise<readonly [Numbers, Numbers]> {
  const measured: readonly [number[], number[]] = [[], []];
  const cpuOf = async ({ servers }: Room): Promise<number> => {
    const used = await Promise.all(servers.map((server) => server.cpu()));
    return used.reduce((sum, value) => sum + value, 0);
  };
  const order = reversed ? [1, 0] : [0, 1];
  for (const speech of Object.values(speeches)) {
    const slices: readonly [number[][], number[][]] = [[], []];
    for (let slice = 0; slice <= plan.slices; slice += 1) {
      for (const side of order) {
        const room = rooms[side] as Room;
        const before = await cpuOf(room);
        const { count, perSecond } = await room.load.run(speech, plan.sliceMs);
        const cpu = ((await cpuOf(room)) - before) / count;
        if (slice > 0) slices[side]?.push([perSecond, cpu]); // the first is to warm up
      }
    }
    for (const side of [0, 1]) {
      for (const index of [0, 1]) measured[side]?.push(median((slices[side] ?? []).map((numbers) => numbers[index] ?? Number.NaN)));
    }
  }
  return measured;
}
