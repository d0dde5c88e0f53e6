import type { Command } from 'commander';
import { ensureIndexes } from 'ws-with/mongodb';
import { type GlobalOptions, withDatabase } from '../connection.js';
import type { Output } from '../output.js';

async function ensure(options: GlobalOptions, output: Output): Promise<void> {
  const { tokens, users, sessions } = options;
  await withDatabase(options, (db) =>
    ensureIndexes(db, { tokens: { collection: tokens }, users: { collection: users }, sessions: { collection: sessions } }),
  );
  output.out(options.json === true ? JSON.stringify({ ensured: true }) : 'All indexes are there.');
}

/** `indexes ensure`. */
export function addIndexCommands(program: Command, output: Output): void {
  program
    .command('indexes')
    .description('the indexes that ws-with needs')
    .command('ensure')
    .description('make those that are missing; safe to run again')
    .action((_given: object, command: Command) => ensure(command.optsWithGlobals(), output));
}
