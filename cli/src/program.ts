import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addImportCommands } from './commands/import-tokens.js';
import { addIndexCommands } from './commands/indexes.js';
import { addMigrateCommand } from './commands/migrate.js';
import { addSessionCommands } from './commands/sessions.js';
import { addTokenCommands } from './commands/token.js';
import { exitCodes } from './exit-codes.js';
import { type Output, printableOutput } from './output.js';
import { printable } from './printable.js';
import { UsageError } from './usage-error.js';

/** The version of this package. */
function ownVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { readonly version: string };
  return version;
}

/** @param endWith is told what the process ends with, by the command that decides that. */
function makeProgram(output: Output, given: Output, endWith: (exitCode: number) => void): Command {
  const program = new Command('ws-with')
    .description('Tokens and sessions of ws-with on MongoDB, and the way from sessions to tokens in your code')
    .version(ownVersion())
    .option('--url <url>', 'the database, mongodb://host/name (default: the variable MONGODB_URL)')
    .option('--db <name>', 'its name, where the URL ends without one or with another')
    .option('--json', 'print JSON')
    .option('--tokens <collection>', 'the collection of tokens', 'tokens')
    .option('--users <collection>', 'the collection of users', 'users')
    .option('--sessions <collection>', 'the collection of channel sessions', 'channelSessions')
    .showHelpAfterError()
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: (text) => output.out(text.trimEnd()), writeErr: (text) => output.error(text.trimEnd()) });
  addTokenCommands(program, output);
  addSessionCommands(program, output);
  addIndexCommands(program, output);
  addImportCommands(program, output);
  // its diff has colours, so it cares for what is unprintable by itself
  addMigrateCommand(program, given, endWith);
  return program;
}

/**
 * Runs one command line.
 *
 * @returns the exit code: 0 done, 1 failed (or nothing to revoke), 2 called wrongly, 3 `migrate --check` found something to do.
 */
export async function runCommandLine(args: readonly string[], given: Output): Promise<number> {
  const output = printableOutput(given);
  let exitCode: number = exitCodes.done;
  const endWith = (decided: number): void => {
    exitCode = decided;
  };
  try {
    await makeProgram(output, given, endWith).parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    output.error(`error: ${printable(error instanceof Error ? error.message : String(error))}`);
    return error instanceof UsageError || error instanceof TypeError ? exitCodes.usage : exitCodes.failed;
  }
}
