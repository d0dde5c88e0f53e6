// Runs the tests on a current Node, which the npm registry brings: the platform package of npm's `node`, since that one's own
// install script is not run by every npm. Whatever the tests start as `node` is this one, too.
import { mkdirSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import { run } from './run.mjs';

const major = 26;
const folder = resolve('out/current-node');
const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
const bin = resolve(folder, 'node_modules', name, 'bin');
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };

mkdirSync(folder, { recursive: true });
await run('npm', [
  'install',
  '--prefix',
  folder,
  '--no-save',
  '--no-package-lock',
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  `${name}@${major}`,
]);
await run(resolve(bin, 'node'), ['--version'], { env });
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--mode=current-node', '--outputFile.json=out/test-results-current-node.json'];
await run(resolve(bin, 'node'), vitest, { env });
