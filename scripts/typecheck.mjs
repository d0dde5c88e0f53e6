// Checks every TypeScript project of the repository: the package with its tests, and each workspace by its own tsconfig.json.
import { readdirSync } from 'node:fs';
import { run } from './run.mjs';

// The recipes are none: they have an install of their own, and compile what they run.
const examples = readdirSync('examples').filter((name) => name !== 'recipes');
const workspaces = ['cli', ...examples.map((name) => `examples/${name}`)];

for (const folder of ['.', ...workspaces]) await run('npx', ['tsc', '-p', `${folder}/tsconfig.json`]);
