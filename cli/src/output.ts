import { createInterface } from 'node:readline/promises';
import { printable } from './printable.js';

/** Where a command writes; a test gives its own. */
export interface Output {
  out(text: string): void;
  error(text: string): void;
  /** Whether `out` shows colours. @default false */
  readonly colour?: boolean | undefined;
  /** Asks whether to go on; absent where nobody is there to answer. */
  confirm?(question: string): Promise<boolean>;
}

/** The process's own output. */
export const processOutput: Output = {
  out: (text) => void process.stdout.write(`${text}\n`),
  error: (text) => void process.stderr.write(`${text}\n`),
  colour: wantsColour(process.env, process.stdout.isTTY),
  ...(process.stdin.isTTY && process.stderr.isTTY && { confirm }),
};

async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

/** Whether to write colours: `FORCE_COLOR` says so, or `NO_COLOR` says no, or else the output is a terminal that has them. */
export function wantsColour({ FORCE_COLOR, NO_COLOR, TERM }: NodeJS.ProcessEnv, isTerminal: boolean): boolean {
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '') return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false;
  return isTerminal && TERM !== 'dumb';
}

/** Rows as aligned columns under their headings, each on one line; dates as ISO 8601. */
export function table(headings: readonly string[], given: readonly (readonly string[])[]): string {
  const rows = given.map((row) => row.map(printable));
  const widths = headings.map((heading, column) => Math.max(heading.length, ...rows.map((row) => (row[column] ?? '').length)));
  return [headings, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** An output to which nothing unprintable gets, line by line. */
export function printableOutput(output: Output): Output {
  const lines = (text: string): string => text.split('\n').map(printable).join('\n');
  return { ...output, out: (text) => output.out(lines(text)), error: (text) => output.error(lines(text)) };
}
