import type { Command } from 'commander';
import { ensureIndexes } from 'ws-with/mongodb';
import { checkSessions, checkTokens } from '../collections.js';
import type { Output } from '../output.js';
import { type GlobalOptions, withDatabase } from '../with-database.js';

async function ensure(options: GlobalOptions, output: Output): Promise<void> {
  const { tokens, users, sessions } = options;
  await withDatabase(options, output, async (db) => {
    // an index may say when documents are removed: it is made where ours are, and nowhere else
    await checkTokens(db, tokens);
    await checkSessions(db, sessions);
    await ensureIndexes(db, { tokens: { collection: tokens }, users: { collection: users }, sessions: { collection: sessions } });
  });
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
