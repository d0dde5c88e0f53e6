import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../run.mjs';

/** Makes an empty application, an ES module, and installs packages into it. */
export async function createApplication(folder, packages) {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'application', private: true, type: 'module' }));
  await install(folder, packages);
}

/** Installs packages into an application made by {@link createApplication}. */
export async function install(folder, packages) {
  await run('npm', ['install', '--no-audit', '--no-fund', ...packages], { cwd: folder });
}

/** Compiles a file of the application; plain and strict, with the declarations of all libraries checked. */
export async function compileStrictly(folder, file, options = []) {
  await run('npx', ['--no-install', 'tsc', '--strict', ...options, file], { cwd: folder });
}
