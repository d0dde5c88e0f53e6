import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const folder = fileURLToPath(new URL('../../../', import.meta.url));

/** Runs a program in the folder of the recipes, for a minute at most, and gives what it printed; rejects unless it ends well. */
export async function run(program: string, args: readonly string[]): Promise<string> {
  // a test runner within a test runner would report to the outer one
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout, stderr } = await execute(program, [...args], { cwd: folder, timeout: 60_000, env: { ...env, NO_COLOR: '1' } });
  return stdout + stderr;
}

/** The first of these files of installed packages that is there; each package is of one platform. */
export function installed(...paths: readonly string[]): string {
  const path = paths.map((each) => `${folder}node_modules/${each}`).find((each) => existsSync(each));
  if (path === undefined) throw new Error(`None of ${paths.join(', ')} is installed.`);
  return path;
}
