// Changes the sources, one small mistake at a time, and says which of them no test notices. What it changes is a copy below `out/`, into
// which a sample of all mistakes is put at once, each with a switch: so tests start fast, and only those run that reach what is switched.
//   npm run mutation                                      100 mistakes of all files that the project `unit` tests
//   npm run mutation -- --sample 400 --seed 7 --jobs 2    more of them, others, and two at a time
//   npm run mutation -- --only src/origin.ts --sample all all of one file, or of a folder
//   npm run mutation -- --only src/origin.ts --sample all --tests test/src/origin.test.ts    what this test file, or folder, notices
//   npm run mutation -- --project redis                   those of the adapter for Redis (or `mongodb`), with its tests
//   npm run mutation -- --since HEAD~20                   those in lines that are not as they were then
// `out/mutation.jsonl` tells what became of each; the exit code says nothing of it.
import { execFileSync, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { mutantsOf, withSwitches } from './mutants.mjs';

/** Which sources the tests of a project are there for. */
const sourcesOf = {
  unit: [
    'src',
    'decorators',
    'client',
    'adapters/express',
    'adapters/jwt',
    'adapters/memory',
    'adapters/opentelemetry',
    'adapters/rate-limit',
  ],
  redis: ['adapters/redis'],
  mongodb: ['adapters/mongodb'],
};

const { values } = parseArgs({
  options: {
    project: { type: 'string', default: 'unit' },
    only: { type: 'string' },
    tests: { type: 'string', default: '' },
    since: { type: 'string' },
    sample: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '600' },
  },
});
const results = resolve('out/mutation.jsonl');

/** The numbers of the lines that are not as they were at the commit `since`, by file; of one that was renamed since, those alone that have changed. */
function linesChangedSince(since) {
  const args = ['diff', '--unified=0', '--find-renames', '--dst-prefix=b/', since, '--', ...sourcesOf[values.project]];
  const difference = execFileSync('git', args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  const ofFiles = difference.split(/^diff --git .*$/m).map((text) => [/^\+\+\+ b\/(.+)$/m.exec(text)?.[1], changedLinesIn(text)]);
  return new Map(ofFiles);
}

function changedLinesIn(difference) {
  const hunks = [...difference.matchAll(/^@@ -\S+ \+(\d+)(?:,(\d+))? @@/gm)];
  return new Set(hunks.flatMap(([, first, count = '1']) => Array.from({ length: Number(count) }, (_, index) => Number(first) + index)));
}

const changedLines = values.since === undefined ? undefined : linesChangedSince(values.since);

function mutantsIn(file) {
  const mutants = mutantsOf(file, readFileSync(file, 'utf8')).map((mutant) => ({ ...mutant, file }));
  return changedLines === undefined ? mutants : mutants.filter(({ line }) => changedLines.get(file)?.has(line));
}

/** A number from 0 to 1 that the seed and `text` decide. */
function chance(text) {
  return createHash('sha256').update(`${values.seed} ${text}`).digest().readUInt32BE() / 2 ** 32;
}

/** As many as are wanted, spread over all files in proportion, in an order by chance: however far one comes, it is a sample of all. */
function sampled(mutants) {
  const size = values.sample === 'all' ? mutants.length : Math.min(Number(values.sample), mutants.length);
  const step = mutants.length / size;
  const first = chance('first') * step;
  const chosen = Array.from({ length: size }, (_, index) => mutants[Math.floor(first + index * step)]);
  return chosen.map((mutant, id) => ({ ...mutant, id, rank: chance(id) })).toSorted((one, other) => one.rank - other.rank);
}

/** A copy of all that the tests need. */
function copyTo(folder, mutants) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const names = ['src', 'decorators', 'adapters', 'client', 'entries', 'testing', 'test', 'scripts', 'docs', 'examples', 'cli'];
  const files = ['package.json', 'vitest.config.ts', 'README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'tsconfig.json', 'tsconfig.base.json'];
  const isWanted = (path) => !['node_modules', 'dist'].includes(basename(path));
  for (const name of [...names, ...files]) cpSync(name, join(folder, name), { recursive: true, filter: isWanted });
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  for (const name of new Set(mutants.map(({ file }) => file))) {
    const own = mutants.filter(({ file }) => file === name);
    writeFileSync(join(folder, name), withSwitches(readFileSync(name, 'utf8'), own));
  }
}

/** A process that has read everything and runs test files again and again: starting it costs far more than what it is for. */
class Session {
  #folder;
  #child;

  constructor(folder) {
    this.#folder = folder;
  }

  async #start() {
    this.#child = fork('scripts/mutation-session.mjs', {
      cwd: this.#folder,
      env: { ...process.env, MUTATION_PROJECT: values.project },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      detached: true,
    });
    await once(this.#child, 'message');
  }

  /** What the process answers; undefined where it ends or takes too long, as in a loop without an end. */
  async ask(task, limitMs) {
    if (this.#child === undefined) await this.#start();
    const over = new AbortController();
    const { signal } = over;
    const never = () => undefined;
    const answer = once(this.#child, 'message', { signal }).then(([said]) => said, never);
    const gone = once(this.#child, 'exit', { signal }).then(never, never);
    const tooLong = wait(limitMs, undefined, { signal }).catch(never);
    this.#child.send(task);
    const said = await Promise.race([answer, gone, tooLong]);
    over.abort();
    if (said === undefined) this.end();
    return said;
  }

  end() {
    try {
      if (this.#child !== undefined) process.kill(-this.#child.pid, 'SIGKILL'); // with its workers, which may be in a loop
    } catch {
      // it has ended by itself
    }
    this.#child = undefined;
  }
}

/** Runs all tests once; resolves to how long each took, and which of them reach which mutant. */
async function firstRun(session, folder) {
  const tests = (await session.ask({}, 600_000)).filter((test) => test.startsWith(values.tests));
  const answer = await session.ask({ active: -1, tests }, 3_600_000);
  if (answer === undefined) throw new Error('the tests did not end');
  for (const { test, isPassed } of answer.files) if (!isPassed) console.log(`left out, as it fails without any mistake: ${test}`);
  const passed = new Map(answer.files.flatMap(({ test, isPassed, ms }) => (isPassed ? [[test, ms]] : [])));
  const [reached, atLoad] = [new Map(), new Set()];
  for (const line of readFileSync(join(folder, 'reached'), 'utf8').trim().split('\n')) {
    const said = JSON.parse(line);
    for (const id of said.reached) reached.set(id, [...(reached.get(id) ?? []), said.test.slice(folder.length + 1)]);
    for (const id of said.atLoad) atLoad.add(id);
  }
  // what runs only when its module is loaded is seen by all, and noted for the first that loads it
  for (const id of atLoad) if (!reached.has(id)) reached.set(id, [...passed.keys()]);
  return { passed, reached };
}

/** The tests that reach it: first those that are named like its file, then the fast ones. */
function testsFor({ id, file }, { passed, reached }) {
  const name = basename(file, '.ts');
  const rank = (test) => (basename(test).startsWith(name) ? -1 : passed.get(test));
  return [...new Set(reached.get(id) ?? [])].filter((test) => passed.has(test)).toSorted((one, other) => rank(one) - rank(other));
}

async function fateOf(mutant, session, known) {
  const tests = testsFor(mutant, known);
  if (tests.length === 0) return { fate: 'not reached' };
  const usualMs = tests.reduce((sum, test) => sum + known.passed.get(test), 0);
  const answer = await session.ask({ active: mutant.id, tests }, 60_000 + 10 * usualMs);
  if (answer === undefined) return { fate: 'caught', by: 'no end' };
  if (answer.isPassed) return { fate: 'survived', tests: tests.length };
  return {
    fate: 'caught',
    by: answer.isLate ? 'a time limit' : (answer.files.find(({ isPassed }) => !isPassed)?.test ?? 'an error of nobody'),
  };
}

/** The share that is caught, with the 95 % interval of Wilson's score. */
function share(caught, of) {
  const [z, p] = [1.96, caught / of];
  const middle = (p + z ** 2 / (2 * of)) / (1 + z ** 2 / of);
  const half = (z / (1 + z ** 2 / of)) * Math.sqrt((p * (1 - p)) / of + z ** 2 / (4 * of ** 2));
  const percent = (value) => (100 * value).toFixed(1);
  return `${caught} of ${of} caught: ${percent(p)} % (${percent(middle - half)} to ${percent(middle + half)} %)`;
}

const inFolder = (folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, name));
const sources = sourcesOf[values.project]
  .flatMap(inFolder)
  .filter((name) => name.endsWith('.ts'))
  .toSorted();
const files = sources.filter((file) => values.only === undefined || file.startsWith(values.only));
const all = files.flatMap(mutantsIn);
const mutants = sampled(all);
console.log(`${mutants.length} mistakes of ${all.length}, in ${new Set(mutants.map(({ file }) => file)).size} of ${files.length} files`);

const folders = Array.from({ length: Number(values.jobs) }, (_, job) => resolve('out', `mutation-${job + 1}`));
for (const folder of folders) copyTo(folder, mutants);
const sessions = folders.map((folder) => new Session(folder));
mkdirSync('out', { recursive: true });
rmSync(results, { force: true });
const known = await firstRun(sessions[0], folders[0]);
const counts = { caught: 0, survived: 0, 'not reached': 0 };
const endsAt = Date.now() + 60_000 * Number(values.minutes);
const queue = [...mutants];

async function work(session) {
  for (let mutant = queue.shift(); mutant !== undefined && Date.now() < endsAt; mutant = queue.shift()) {
    const { file, line, what } = mutant;
    const fate = await fateOf(mutant, session, known);
    counts[fate.fate] += 1;
    appendFileSync(results, `${JSON.stringify({ file, line, what, ...fate })}\n`);
    if (fate.fate !== 'caught') console.log(`${fate.fate}: ${file}:${line}  ${what}`);
  }
  session.end();
}

await Promise.all(sessions.map(work));
for (const folder of folders) rmSync(folder, { recursive: true, force: true });
console.log(share(counts.caught, counts.caught + counts.survived + counts['not reached']));
console.log(`${counts.survived} survived, ${counts['not reached']} are reached by no test`);
