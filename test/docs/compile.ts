import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CodeModule } from './code-blocks.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');

const compilerOptions = {
  target: 'es2022',
  module: 'nodenext',
  types: ['node'],
  strict: true,
  noEmit: true,
  moduleDetection: 'force',
  skipLibCheck: true,
};

/**
 * Compiles the modules of one page as a user of the built package would, and returns the compiler's complaints, with lines of the page.
 * A module that extends an interface of the package is seen by its whole program: it is compiled apart.
 */
export async function complaintsAbout(page: string, modules: readonly CodeModule[]): Promise<string[]> {
  const folder = join(root, 'out', 'docs', page.replaceAll(/\W+/g, '-'));
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await Promise.all(modules.map(({ fileName, text }) => writeFile(join(folder, fileName), text)));
  const complaints: string[] = [];
  for (const [index, program] of programsOf(modules).entries()) {
    const project = join(folder, `tsconfig.${index}.json`);
    const legacy = program.some(({ legacyDecorators }) => legacyDecorators);
    const options = legacy ? { ...compilerOptions, experimentalDecorators: true } : compilerOptions;
    await writeFile(project, JSON.stringify({ compilerOptions: options, files: program.map(({ fileName }) => fileName) }));
    complaints.push(...(await compile(project)).map((line) => line.replace(/^\S*?\(/, `${page}(`)));
  }
  return complaints;
}

function programsOf(modules: readonly CodeModule[]): CodeModule[][] {
  const apart = modules.filter(({ text }) => /^\s*declare (module|global)\b/m.test(text));
  const together = modules.filter((module) => !apart.includes(module));
  const dialects = [together.filter((module) => !module.legacyDecorators), together.filter((module) => module.legacyDecorators)];
  return [...dialects.filter((program) => program.length > 0), ...apart.map((module) => [module])];
}

function compile(project: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [compiler, '-p', project, '--pretty', 'false'], { cwd: root }, (error, stdout, stderr) => {
      if (!error) resolve([]);
      else if (stdout.includes('error TS')) resolve(stdout.trimEnd().split('\n'));
      else reject(new Error(`the compiler failed: ${stdout}${stderr}`, { cause: error }));
    });
  });
}
