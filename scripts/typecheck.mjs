// Checks every TypeScript project of the repository: the package with its tests, and each workspace by its own tsconfig.json.
import { existsSync, readdirSync } from 'node:fs';
import { run } from './run.mjs';

const workspaces = ['cli', ...readdirSync('examples').map((name) => `examples/${name}`)]
  // The recipes install for themselves, against what they show.
  .filter((folder) => folder !== 'examples/recipes' && existsSync(`${folder}/package.json`));

// The other dialect of decorators is a compiler option, so its tests are a project of their own.
const legacy = ['test/legacy'].filter((folder) => existsSync(folder));

for (const folder of ['.', ...legacy, ...workspaces]) await run('npx', ['tsc', '-p', `${folder}/tsconfig.json`]);
