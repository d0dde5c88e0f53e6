import { Command, CommanderError } from 'commander';
import { addIndexCommands } from './commands/indexes.js';
import { addSessionCommands } from './commands/sessions.js';
import { addTokenCommands } from './commands/token.js';
import { addImportCommands } from './commands/tokens.js';
import { UsageError } from './connection.js';
import { type Output, printableOutput } from './output.js';
import { printable } from './printable.js';

/** Exit codes: what was asked for was done; it was not; the call was wrong. */
const exitCodes = { done: 0, failed: 1, usage: 2 } as const;

function makeProgram(output: Output): Command {
  const program = new Command('ws-with')
    .description('Tokens and sessions of ws-with on MongoDB')
    .option('--url <url>', 'the database, mongodb://host/name (default: the variable MONGODB_URL)')
    .option('--json', 'print JSON')
    .option('--tokens <collection>', 'the collection of tokens', 'tokens')
    .option('--users <collection>', 'the collection of users', 'users')
    .option('--sessions <collection>', 'the collection of channel sessions', 'channelSessions')
    .showHelpAfterError()
    .exitOverride()
    .configureOutput({ writeOut: (text) => output.out(text.trimEnd()), writeErr: (text) => output.error(text.trimEnd()) });
  addTokenCommands(program, output);
  addSessionCommands(program, output);
  addIndexCommands(program, output);
  addImportCommands(program, output);
  return program;
}

/**
 * Runs one command line.
 *
 * @returns the exit code: 0 done, 1 failed (or nothing to revoke), 2 called wrongly.
 */
export async function runCommandLine(args: readonly string[], given: Output): Promise<number> {
  const output = printableOutput(given);
  try {
    await makeProgram(output).parseAsync(args, { from: 'user' });
    return exitCodes.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    output.error(`error: ${printable(error instanceof Error ? error.message : String(error))}`);
    return error instanceof UsageError || error instanceof TypeError ? exitCodes.usage : exitCodes.failed;
  }
}
