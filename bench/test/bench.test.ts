import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const main = fileURLToPath(new URL('../dist/bench/main.js', import.meta.url));

async function bench(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [main, ...args]);
  return stdout;
}

/** The numbers of each row of the tables in `report`, by the row's name. */
function rowsOf(report: string): Map<string, number[]> {
  const rows = report
    .split('\n')
    .filter((line) => /^\| (?!server|program|-)/.test(line))
    .map((line) => line.split('|').slice(1, -1));
  const numbers = (cells: string[]): number[] =>
    cells.flatMap((cell) => cell.match(/[\d.,]+|NaN|Infinity/g) ?? []).map((text) => Number(text.replaceAll(',', '')));
  return new Map(rows.map(([name = '', ...cells]) => [name.trim(), numbers(cells)]));
}

function expectFinite(numbers: number[] | undefined, count: number): void {
  expect(numbers).toHaveLength(count);
  for (const number of numbers ?? []) expect(number).toSatisfy((value: number) => Number.isFinite(value) && value >= 0);
}

const byHand = [
  'plain ws',
  'plain ws again (the noise)',
  'plain ws, digest and repository',
  'plain ws, corked per tick',
  'plain ws, one pooled buffer',
  'ws-with',
  'ws-with, session unchanged',
  'ws-with, after an await',
];
const peers = [
  'plain ws',
  'plain ws again (the noise)',
  'crossws',
  'Hono',
  '@fastify/websocket',
  'Socket.IO',
  'ws and express-session',
  'ws-with',
];

it.each([
  { name: 'echo', names: byHand },
  { name: 'peers', names: peers },
])('measures the servers of $name, which all do their work, and prints ratios with their spread', async ({ name, names }) => {
  const rows = rowsOf(await bench(name, '--quick'));
  expect([...rows.keys()]).toEqual(names);
  expect(rows.get('plain ws')).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  for (const candidate of names.slice(1)) expectFinite(rows.get(candidate), 8 * 3);
});

it('measures sessions in each store, changed and not, and prints ratios with their spread', async () => {
  const rows = rowsOf(await bench('sessions', '--quick'));
  expect(rows.get('memory, unchanged')).toEqual([1, 1, 1, 1]);
  for (const store of ['memory', 'MongoDB', 'Redis']) expectFinite(rows.get(`${store}, changed`), 4 * 3);
});

it('has the compiler check a hundred handlers, with wrappers and without', async () => {
  const rows = rowsOf(await bench('types'));
  expect(rows.size).toBe(4);
  for (const figures of rows.values()) expectFinite(figures, 4);
});

it('raises storms, in which every client is told its own name, and prints ratios with their spread', async () => {
  const rows = rowsOf(await bench('storm', '--quick'));
  expect(rows.size).toBe(4);
  expectFinite(rows.get('ws-with, MongoTokenRepository'), 3 * 3 + 1);
});

it('has sockets of one process closed by another, and all channels looked up again in five commands at most', async () => {
  const report = await bench('live', '--quick');
  expectFinite(/median ([\d.,]+) ms, worst ([\d.,]+) ms of 3$/m.exec(report)?.slice(1).map(Number), 2);
  const commands = Number(/^200 live channels looked up again: (\d+) commands/m.exec(report)?.[1]);
  expect(commands).toBeGreaterThan(0);
  expect(commands).toBeLessThanOrEqual(5);
});

it('has one or many speak to a room of each server, and prints ratios with their spread', async () => {
  const rows = rowsOf(await bench('fan-out', '--quick'));
  expect(rows.size).toBe(7);
  for (const name of [...rows.keys()].filter((each) => !/ by hand$|redis-adapter/.test(each))) {
    expectFinite(rows.get(name), name.includes('RedisBroadcaster') ? 4 * 3 : 6 * 3);
  }
});

it('refuses a benchmark that there is not', async () => {
  await expect(bench('sprint')).rejects.toMatchObject({ code: 1 });
});

it('counts the files that a handshake and a message enter: no more than the map promises', async () => {
  const report = await bench('journey');
  expect(Number(/^A handshake: (\d+) files/m.exec(report)?.[1])).toBeLessThanOrEqual(18);
  expect(Number(/^A channel's first message: (\d+) files/m.exec(report)?.[1])).toBeLessThanOrEqual(14);
  expect(Number(/^A message: (\d+) files/m.exec(report)?.[1])).toBeLessThanOrEqual(12);
});
