import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Complaint, here } from './compiler.js';

/** A piece of a fixture that must not compile: the lines below `// @ <what is wrong>`, up to an empty line or the next label. */
export interface Misuse {
  /** Its project and file, and what is wrong, in words: its key in `expected.json`. */
  readonly label: string;
  /** As the compiler names it. */
  readonly file: string;
  readonly first: number;
  readonly last: number;
}

/** An error as `expected.json` has it. */
export interface ExpectedComplaint {
  readonly code: string;
  /** The word, or the sign, at which the compiler points. */
  readonly at: string;
  /** The last line of its text, which names the cause. */
  readonly says: string;
}

function linesOf(file: string): string[] {
  return readFileSync(join(here, file), 'utf8').split('\n');
}

/** All misuses in the files of a fixture project, which it may have in common with another. */
export function misusesOf(project: string): Misuse[] {
  const folder = join('fixtures', project);
  const { include } = JSON.parse(readFileSync(join(here, folder, 'tsconfig.json'), 'utf8')) as { readonly include: readonly string[] };
  const own = readdirSync(join(here, folder)).filter((name) => name.endsWith('.ts'));
  return include.flatMap((named) => (named === '*.ts' ? own : [named])).flatMap((name) => misusesIn(project, join(folder, name)));
}

function misusesIn(project: string, file: string): Misuse[] {
  const lines = linesOf(file);
  return lines.flatMap((text, index) => {
    const [, what] = /^\s*\/\/ @ (.+)$/.exec(text) ?? [];
    if (what === undefined) return [];
    const label = `${project}/${basename(file, '.ts')}: ${what}`;
    const rest = lines.slice(index + 1);
    const length = rest.findIndex((line) => line.trim() === '' || line.trimStart().startsWith('// @ '));
    return [{ label, file, first: index + 2, last: index + 1 + (length < 0 ? rest.length : length) }];
  });
}

/** Whether the compiler complains of `misuse` there. */
export function isAbout(misuse: Misuse, complaint: Complaint): boolean {
  return complaint.file === misuse.file && complaint.line >= misuse.first && complaint.line <= misuse.last;
}

/** `complaint` in the form of `expected.json`. */
export function summaryOf(complaint: Complaint): ExpectedComplaint {
  const from = (linesOf(complaint.file)[complaint.line - 1] ?? '').slice(complaint.column - 1);
  const [at = ''] = /^[\w@$]+|^./.exec(from) ?? [];
  return { code: complaint.code, at, says: complaint.text.at(-1) ?? '' };
}
