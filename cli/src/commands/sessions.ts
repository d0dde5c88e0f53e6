import type { Command } from 'commander';
import { type GlobalOptions, withDatabase } from '../connection.js';
import type { Output } from '../output.js';

/** Records whose time is over by the database's own clock. */
const expired = { $expr: { $lte: ['$expiresAt', '$$NOW'] } };

async function count(options: GlobalOptions, output: Output): Promise<void> {
  const { all, over } = await withDatabase(options, async (db) => {
    const sessions = db.collection(options.sessions);
    return { all: await sessions.countDocuments({}), over: await sessions.countDocuments(expired) };
  });
  if (options.json === true) output.out(JSON.stringify({ live: all - over, expired: over }));
  else output.out(`${all - over} live, ${over} expired and not removed yet`);
}

async function purge(given: { readonly all?: boolean | undefined }, options: GlobalOptions, output: Output): Promise<void> {
  const removed = await withDatabase(options, async (db) => {
    const { deletedCount } = await db.collection(options.sessions).deleteMany(given.all === true ? {} : expired);
    return deletedCount;
  });
  if (options.json === true) output.out(JSON.stringify({ removed }));
  else output.out(`Removed ${removed}.`);
}

/** `sessions count`, `sessions purge`. */
export function addSessionCommands(program: Command, output: Output): void {
  const sessions = program.command('sessions').description('count and remove channel sessions');
  sessions
    .command('count')
    .description('how many there are')
    .action((_given: object, command: Command) => count(command.optsWithGlobals(), output));
  sessions
    .command('purge')
    .description('remove the expired ones, without waiting for the database to do so')
    .option('--all', 'remove the live ones too: their channels lose them')
    .action((given: { readonly all?: boolean }, command: Command) => purge(given, command.optsWithGlobals(), output));
}
