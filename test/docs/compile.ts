import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environment } from '../types/compiler.js';
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

/** The modules of each page, by the page's name. */
export type Pages = Readonly<Record<string, readonly CodeModule[]>>;

interface Program {
  readonly options: typeof compilerOptions & { readonly experimentalDecorators?: true };
  /** Relative to the folder. */
  readonly files: string[];
}

/**
 * Compiles the modules of all pages as users of the built package would, and returns the compiler's complaints about each page, with its
 * lines. Pages see nothing of each other, but are compiled together: most of a compilation is the declarations that all of them import.
 * The files are written to the folder `name`.
 */
export async function complaintsAbout(name: string, pages: Pages): Promise<Record<string, string[]>> {
  const folder = join(root, 'out', 'docs', name);
  await rm(folder, { recursive: true, force: true });
  for (const [page, modules] of Object.entries(pages)) {
    await mkdir(join(folder, folderOf(page)), { recursive: true });
    await Promise.all(modules.map(({ fileName, text }) => writeFile(join(folder, folderOf(page), fileName), text)));
  }
  const complaints = Object.fromEntries(Object.keys(pages).map((page) => [page, [] as string[]]));
  for (const [index, { options, files }] of programsOf(pages).entries()) {
    const project = join(folder, `tsconfig.${index}.json`);
    await writeFile(project, JSON.stringify({ compilerOptions: options, files }));
    let page: string | undefined;
    for (const line of await compile(project)) {
      const [, own, rest] = /^([\w-]+)\/[^(]*(\(.*)$/.exec(line) ?? [];
      // lines that name no file go on with the complaint before
      if (own !== undefined) page = Object.keys(pages).find((each) => folderOf(each) === own);
      if (page === undefined) throw new Error(`The compiler complains of what is on no page: ${line}`);
      complaints[page]?.push(own === undefined ? line : page + rest);
    }
  }
  return complaints;
}

/** A module that extends an interface of the package is seen by its whole program: it is compiled apart. */
function programsOf(pages: Pages): Program[] {
  const programs: { standard: Program; legacy: Program; apart: Program[] } = {
    standard: { options: compilerOptions, files: [] },
    legacy: { options: { ...compilerOptions, experimentalDecorators: true }, files: [] },
    apart: [],
  };
  for (const [page, modules] of Object.entries(pages)) {
    for (const { fileName, legacyDecorators, text } of modules) {
      const file = `${folderOf(page)}/${fileName}`;
      const { options, files } = legacyDecorators ? programs.legacy : programs.standard;
      if (/^\s*declare (module|global)\b/m.test(text)) programs.apart.push({ options, files: [file] });
      else files.push(file);
    }
  }
  return [programs.standard, programs.legacy, ...programs.apart].filter(({ files }) => files.length > 0);
}

function folderOf(page: string): string {
  return page.replaceAll(/\W+/g, '-');
}

function compile(project: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const args = [compiler, '-p', project, '--pretty', 'false'];
    execFile(process.execPath, args, { cwd: dirname(project), env: environment }, (error, stdout, stderr) => {
      if (!error) resolve([]);
      else if (stdout.includes('error TS')) resolve(stdout.trimEnd().split('\n'));
      else reject(new Error(`the compiler failed: ${stdout}${stderr}`, { cause: error }));
    });
  });
}
