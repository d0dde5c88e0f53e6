import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of these tests. */
export const here: string = dirname(fileURLToPath(import.meta.url));

/** Where the projects write what they emit; git ignores it. */
export const outputs: string = join(here, '..', '..', 'out', 'types');

const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');

/** In which it collects garbage less often, and takes a quarter less time of the processors. */
export const environment: NodeJS.ProcessEnv = { ...process.env, GOGC: '400' };

/** One error of the compiler. */
export interface Complaint {
  /** The file, relative to the folder of these tests. */
  readonly file: string;
  /** From 1 on. */
  readonly line: number;
  /** From 1 on. */
  readonly column: number;
  readonly code: string;
  /** Its text, from the general to the particular. */
  readonly text: readonly string[];
}

/** Two compilers at a time: the machines that run this have two cores. */
const places: Promise<unknown>[] = [Promise.resolve(), Promise.resolve()];

/** Compiles a project, of which `project` is the folder or the configuration file, and returns the compiler's errors. */
export function compile(project: string): Promise<Complaint[]> {
  const before = places.shift();
  const compiled = Promise.resolve(before).then(() => run(project));
  places.push(compiled.catch(() => {}));
  return compiled;
}

function run(project: string): Promise<Complaint[]> {
  const args = [compiler, '-p', project, '--pretty', 'false'];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: here, env: environment }, (error, stdout, stderr) => {
      const complaints = complaintsOf(stdout);
      // whatever is no error of some file is one of the project, and nothing was checked
      if (error === null || complaints.length > 0) resolve(complaints);
      else reject(new Error(`the compiler failed: ${stdout}${stderr}`, { cause: error }));
    });
  });
}

function complaintsOf(output: string): Complaint[] {
  const complaints: (Complaint & { text: string[] })[] = [];
  for (const line of output.split('\n')) {
    const [, file, row, column, code, text] = /^(\S+?)\((\d+),(\d+)\): error (TS\d+): (.*)$/.exec(line) ?? [];
    if (file !== undefined && code !== undefined && text !== undefined) {
      complaints.push({ file, line: Number(row), column: Number(column), code, text: [text] });
    } else if (line.trim() !== '') {
      complaints.at(-1)?.text.push(line.trim());
    }
  }
  return complaints;
}
