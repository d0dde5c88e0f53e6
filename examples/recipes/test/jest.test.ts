import assert from 'node:assert/strict';
import { test } from 'node:test';
import { installed, run } from './support/run.js';

const jest = installed('jest/bin/jest.js');

test('jest runs tests that are ES modules, with --experimental-vm-modules', async () => {
  const output = await run(process.execPath, ['--experimental-vm-modules', jest, '--config', 'jest/esm/jest.config.json']);
  assert.match(output, /Tests: +1 passed, 1 total/);
});

test('jest runs tests that are CommonJS, where a transform compiles the package', async () => {
  const output = await run(process.execPath, [jest, '--config', 'jest/commonjs/jest.config.json']);
  assert.match(output, /Tests: +1 passed, 1 total/);
});
