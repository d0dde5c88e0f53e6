import { type Command, Option } from 'commander';
import { exitCodes } from '../exit-codes.js';
import { diffOf } from '../migrate/diff.js';
import type { Finding } from '../migrate/finding.js';
import { type Failure, type FileResult, type Migration, migrateFile } from '../migrate/migrate-file.js';
import { sourcePathsOf } from '../migrate/source-paths.js';
import type { Output } from '../output.js';
import { printable } from '../printable.js';

interface MigrateOptions {
  readonly from: Migration['from'];
  readonly to?: 'token' | 'dual' | undefined;
  readonly write?: boolean | undefined;
  readonly check?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** What a run came to. */
interface Outcome {
  readonly files: number;
  readonly changed: readonly Extract<FileResult, { before: string }>[];
  readonly findings: readonly Finding[];
  readonly failures: readonly Failure[];
}

const examples = `
Examples:
  $ ws-with migrate                          what would change below this folder
  $ ws-with migrate src --to dual --write    tokens first, sessions as before
  $ ws-with migrate "src/**/*.ts" --write    tokens alone
  $ ws-with migrate --from ws-session        where ws is used with a session parser by hand

Exit code 0: done; 1: a file could not be read, parsed or written (the others were); 2: called wrongly; 3: --check found something to do.`;

/** `migrate`. */
export function addMigrateCommand(program: Command, output: Output, endWith: (exitCode: number) => void): void {
  program
    .command('migrate')
    .description(
      'rewrite code from the wrappers of HTTP sessions to those of tokens; shows what would change, and writes nothing, unless told to',
    )
    .argument('[paths...]', 'files, folders and globs (default: this folder)')
    .addOption(
      new Option('--to <target>', 'withUserFromToken, or withUserFrom(fromToken(), fromHttpSession()) (default: "token")').choices([
        'token',
        'dual',
      ]),
    )
    .addOption(
      new Option(
        '--from <origin>',
        'session: wrappers of ws-with; ws-session: a session parser that is called by hand, which is reported only',
      )
        .choices(['session', 'ws-session'])
        .default('session'),
    )
    .addOption(new Option('--write', 'write the files').conflicts('check'))
    .option('--check', 'end with exit code 3 where something would change, or is to be done by hand with --from ws-session')
    .addHelpText('after', examples)
    .action(async (paths: readonly string[], _given: object, command: Command) => {
      endWith(await migrate(paths, command.optsWithGlobals<MigrateOptions>(), output));
    });
}

async function migrate(given: readonly string[], options: MigrateOptions, output: Output): Promise<number> {
  const outcome = await run(given, options);
  if (options.json === true) output.out(jsonOf(outcome, options));
  else print(outcome, options, output);
  if (outcome.failures.length > 0) return exitCodes.failed;
  const toDo = options.from === 'ws-session' ? outcome.findings : outcome.changed;
  return options.check === true && toDo.length > 0 ? exitCodes.toDo : exitCodes.done;
}

async function run(given: readonly string[], { from, to, write = false }: MigrateOptions): Promise<Outcome> {
  const migration: Migration = from === 'session' ? { from, to: to ?? 'token' } : { from, to: to ?? 'session' };
  const paths = await sourcePathsOf(given.length > 0 ? given : ['.'], process.cwd());
  const [changed, findings, failures]: [Outcome['changed'][number][], Finding[], Failure[]] = [[], [], []];
  for (const path of paths) {
    const result = await migrateFile(path, migration, write);
    if ('failure' in result) failures.push(result.failure);
    else {
      findings.push(...result.findings);
      if (result.after !== result.before) changed.push(result);
    }
  }
  return { files: paths.length, changed, findings, failures };
}

function print({ files, changed, findings, failures }: Outcome, { write, from }: MigrateOptions, output: Output): void {
  if (write !== true) for (const { file, before, after } of changed) output.out(diffOf(file, before, after, output.colour === true));
  for (const finding of findings) output.out(lineOf(finding));
  for (const { file, line, column, message } of failures) {
    const place = [file, line, column].filter((part) => part !== undefined).join(':');
    output.error(`${printable(place)} error: ${printable(message)}`);
  }
  const numberOfKind = (wanted: Finding['kind']): number => findings.filter(({ kind }) => kind === wanted).length;
  const counts = [
    from === 'ws-session' ? '' : `${write === true ? 'Changed' : 'Would change'} ${changed.length} of ${numberOf(files, 'file')}.`,
    `${numberOf(numberOfKind('undecided'), 'place')} to do by hand, ${numberOfKind('look')} to look at.`,
    failures.length > 0 ? `${numberOf(failures.length, 'file')} failed.` : '',
    write !== true && changed.length > 0 ? 'Nothing was written: --write does that.' : '',
  ];
  output.out(counts.filter((text) => text !== '').join(' '));
}

function lineOf({ file, line, column, kind, code, message, write }: Finding): string {
  const lines = (write ?? []).map((text) => `    ${printable(text)}`.trimEnd());
  return [`${printable(file)}:${line}:${column} ${kind} [${code}] ${printable(message)}`, ...lines].join('\n');
}

function numberOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function jsonOf({ files, changed, findings, failures }: Outcome, { write = false }: MigrateOptions): string {
  const diffs = changed.map(({ file, before, after }) => ({ file, diff: diffOf(file, before, after, false) }));
  return printable(JSON.stringify({ files, written: write, changed: diffs, findings, failures }));
}
