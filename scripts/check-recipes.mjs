// The recipes as their readers would follow them: installed with a lockfile of their own, with the built package copied into their
// `node_modules`, compiled and run. Nothing but the npm registry is asked: no install script runs.
import { runnerImport } from 'vite';
import { run } from './run.mjs';

const cwd = 'examples/recipes';
const given = process.env.MONGODB_URL;
const mongod = given ? undefined : await startMongod();
try {
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd, timeout: 600_000 });
  await run('npm', ['test'], { cwd, timeout: 300_000, env: { ...process.env, MONGODB_URL: given ?? mongod.url } });
} finally {
  await mongod?.stop();
}

/** The one place that knows where a `mongod` comes from is TypeScript. */
async function startMongod() {
  const { module } = await runnerImport('./test/support/mongod.ts');
  return module.startMongod();
}
