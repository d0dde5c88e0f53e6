// What `mutation.mjs` starts: runs test files, with a mutant switched on, whenever it is told to.
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { createVitest } from 'vitest/node';

const vitest = await createVitest('test', {
  config: 'scripts/mutation-config.mjs',
  watch: false,
  reporters: [{}],
  coverage: { enabled: false },
});
await vitest.standalone();

const nameOf = ({ moduleId }) => relative(process.cwd(), moduleId);

/** The names of all test files, or what became of those that are named. */
async function run({ active, tests }) {
  const all = await vitest.globTestSpecifications();
  if (tests === undefined) return all.map(nameOf);
  writeFileSync('active', String(active));
  vitest.config.bail = active < 0 ? 0 : 1;
  for (const { config } of vitest.projects) config.bail = vitest.config.bail;
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(
    tests.map((name) => all.find((each) => nameOf(each) === name)),
  );
  // of earlier runs, too
  const modules = testModules.filter((module) => tests.includes(nameOf(module)));
  return {
    isPassed: unhandledErrors.length === 0 && modules.length === tests.length && modules.every((module) => module.ok()),
    files: modules.map((module) => ({ test: nameOf(module), isPassed: module.ok(), ms: module.diagnostic().duration })),
    isLate: modules.flatMap((module) => [...module.children.allTests('failed')]).some(isLate),
  };
}

function isLate(test) {
  return test.result().errors.some(({ message }) => /timed out/i.test(message));
}

process.on('message', (task) => void run(task).then((answer) => process.send(answer)));
process.on('disconnect', () => process.kill(-process.pid, 'SIGKILL')); // nobody asks any more: no worker may stay, in a loop perhaps
process.send('ready');
