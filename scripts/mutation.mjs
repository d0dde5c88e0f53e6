// Changes the sources, one small mistake at a time, and says which of them no test notices. What it changes is a copy below `out/`.
//   npm run mutation                                     some of each file that is listed below
//   npm run mutation -- --only src/origin.ts --most 1000 all of one file
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { mutantsOf } from './mutants.mjs';

/** Which tests hold what a file does. */
const testsOf = {
  'src/origin.ts': ['test/src/origin.test.ts', 'test/src/whatever-is-sent.test.ts', 'test/src/identity/identify-user.test.ts'],
  'src/identity/credentials.ts': [
    'test/src/identity/credentials.test.ts',
    'test/src/whatever-is-sent.test.ts',
    'test/src/identity/own-places.test.ts',
  ],
  'src/identity/from-token.ts': ['test/src/identity/from-token.test.ts', 'test/src/live'],
  'src/identity/bounded-look-up.ts': ['test/src/identity/from-token.test.ts', 'test/src/server/deadline.test.ts'],
  'src/live/expiry.ts': ['test/src/live'],
  'src/live/revocations.ts': ['test/src/live', 'test/src/server/log-out-while-connecting.test.ts', 'test/regression'],
  'src/live/sweeps.ts': ['test/src/live'],
  'src/session/session-record.ts': ['test/src/session'],
  'src/session/session-draft.ts': ['test/src/session'],
  'src/session/changes.ts': ['test/src/session'],
  'src/channel/inbox.ts': [
    'test/src/channel/order.test.ts',
    'test/src/channel/early-frames.test.ts',
    'test/src/channel/back-pressure.test.ts',
    'test/src/channel/handler-timeout.test.ts',
    'test/src/live/revocations.test.ts',
    'test/src/channel/receive-path.test.ts',
  ],
  'src/channel/outbox.ts': [
    'test/src/channel/outbox.test.ts',
    'test/src/channel/send-order.test.ts',
    'test/src/channel/back-pressure.test.ts',
    'test/src/channel/reused-bytes.test.ts',
  ],
  'src/channel/frame-writer.ts': ['test/src/channel/frame-writer.test.ts', 'test/src/channel/outbox.test.ts'],
};

const { values } = parseArgs({
  options: { only: { type: 'string' }, most: { type: 'string', default: '12' }, seconds: { type: 'string', default: '300' } },
});
const most = Number(values.most);
const files = values.only?.split(',') ?? Object.keys(testsOf);
const folder = resolve('out/mutation');

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const name of [
  'src',
  'decorators',
  'adapters',
  'entries',
  'testing',
  'test',
  'package.json',
  'tsconfig.json',
  'tsconfig.base.json',
  'vitest.config.ts',
])
  cpSync(name, join(folder, name), { recursive: true });
symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));

/** A process that has read everything and runs the tests of files again and again: starting it costs far more than what it is for. */
class Session {
  #child = fork(new URL('mutation-session.mjs', import.meta.url), [folder], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    detached: true,
  });

  /** Whether the tests of `file` pass as it is now; a mistake that makes them hang is noticed, too. */
  async passes(file) {
    const over = new AbortController();
    const { signal } = over;
    const never = () => undefined;
    const answer = once(this.#child, 'message', { signal }).then(([isPassed]) => isPassed, never);
    const failed = once(this.#child, 'exit', { signal }).then(never, never);
    const tooLong = wait(Number(values.seconds) * 1_000, undefined, { signal }).catch(never);
    this.#child.send({ file, tests: testsOf[file] });
    const isPassed = await Promise.race([answer, failed, tooLong]);
    over.abort();
    return isPassed;
  }

  end() {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL'); // with its workers, which may be in a loop
    } catch {
      // it has ended by itself
    }
  }
}

let session = new Session();

async function passes(file) {
  const isPassed = await session.passes(file);
  if (isPassed !== undefined) return isPassed;
  session.end();
  session = new Session();
  return false;
}

/** As many as are wanted, spread over the file. */
function some(mutants) {
  if (mutants.length <= most) return mutants;
  return Array.from({ length: most }, (_, index) => mutants[Math.floor(((index + 0.5) * mutants.length) / most)]);
}

let tried = 0;
const survivors = [];
for (const file of files) {
  if (testsOf[file] === undefined) throw new Error(`it is not listed which tests hold ${file}`);
  const source = readFileSync(file, 'utf8');
  if (!(await passes(file))) throw new Error(`the tests of ${file} fail as it is`);
  const mutants = mutantsOf(file, source);
  const chosen = some(mutants);
  let caught = 0;
  for (const mutant of chosen) {
    writeFileSync(join(folder, file), mutant.source);
    tried += 1;
    if (await passes(file)) {
      survivors.push(mutant);
      console.log(`survives: ${file}:${mutant.line}  ${mutant.what}`);
    } else caught += 1;
  }
  writeFileSync(join(folder, file), source);
  console.log(`${file}: ${caught} of ${chosen.length} caught, of ${mutants.length} that there are`);
}
session.end();
rmSync(folder, { recursive: true, force: true });
console.log(`${tried - survivors.length} of ${tried} caught (${((100 * (tried - survivors.length)) / tried).toFixed(1)} %)`);
