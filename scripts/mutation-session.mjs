// What `mutation.mjs` starts: runs the tests of a changed file whenever it is told to.
import { join } from 'node:path';
import { createVitest } from 'vitest/node';

const [root] = process.argv.slice(2);
const vitest = await createVitest('test', {
  root,
  watch: false,
  project: ['unit'],
  bail: 1,
  reporters: [{}],
  maxWorkers: 1,
  coverage: { enabled: false },
});

async function run({ file, tests }) {
  vitest.invalidateFile(join(root, file));
  const specifications = await vitest.globTestSpecifications(tests);
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications);
  process.send(testModules.length > 0 && unhandledErrors.length === 0 && testModules.every((module) => module.ok()));
}

process.on('message', (task) => void run(task));
