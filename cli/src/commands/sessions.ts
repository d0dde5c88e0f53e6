import type { Command } from 'commander';
import type { Db, Document, Filter } from 'mongodb';
import { checkSessions, sessionFilter, unreadableSessionFilter } from '../collections.js';
import type { Output } from '../output.js';
import { type GlobalOptions, withDatabase } from '../with-database.js';

interface PurgeOptions {
  readonly all?: boolean | undefined;
  readonly unreadable?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
  readonly yes?: boolean | undefined;
}

/** Sessions whose time is over by the database's own clock. */
const expiredFilter: Filter<Document> = { $and: [sessionFilter, { $expr: { $lte: ['$expiresAt', '$$NOW'] } }] };

async function count(options: GlobalOptions, output: Output): Promise<void> {
  const [all, expired, unreadable] = await withDatabase(options, output, async (db) => {
    await checkSessions(db, options.sessions);
    const countOf = (filter: Filter<Document>): Promise<number> => db.collection(options.sessions).countDocuments(filter);
    return Promise.all([countOf(sessionFilter), countOf(expiredFilter), countOf(unreadableSessionFilter)]);
  });
  const live = all - expired;
  if (options.json === true) output.out(JSON.stringify({ live, expired, ...(unreadable > 0 && { unreadable }) }));
  else output.out(`${live} live, ${expired} expired and not removed yet${unreadable > 0 ? `, ${unreadable} that cannot be read` : ''}`);
}

/** What is to be removed: never anything but sessions of ours. */
function removedBy({ all, unreadable }: PurgeOptions): Filter<Document> {
  const filters = [all === true ? sessionFilter : expiredFilter, ...(unreadable === true || all === true ? [unreadableSessionFilter] : [])];
  return { $or: filters };
}

async function purge(given: PurgeOptions, options: GlobalOptions, output: Output): Promise<void> {
  const removed = await withDatabase(options, output, (db) => purgeIn(db, given, options, output));
  if (removed === undefined) return;
  if (options.json === true) output.out(JSON.stringify({ removed }));
  else output.out(`Removed ${removed}.`);
}

/** How many were removed; `undefined` where none were to be. */
async function purgeIn(db: Db, given: PurgeOptions, options: GlobalOptions, output: Output): Promise<number | undefined> {
  await checkSessions(db, options.sessions);
  const sessions = db.collection(options.sessions);
  const filter = removedBy(given);
  const found = await sessions.countDocuments(filter);
  const orUnreadable = given.unreadable === true ? ' or cannot be read' : '';
  const what = given.all === true ? 'sessions, live ones included' : `sessions that are over${orUnreadable}`;
  const where = `the collection ${options.sessions} of the database ${db.databaseName}`;
  if (given.dryRun === true) {
    if (options.json === true) output.out(JSON.stringify({ wouldRemove: found }));
    else output.out(`Would remove ${found} ${what} from ${where}.`);
    return undefined;
  }
  output.error(`Removing ${found} ${what} from ${where}.`);
  const asksFirst = given.all === true && given.yes !== true;
  if (asksFirst && (await output.confirm?.('Their channels lose them. Go on?')) === false) {
    output.error('Nothing was removed.');
    return undefined;
  }
  return (await sessions.deleteMany(filter)).deletedCount;
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
    .description('remove the expired ones, without waiting for the database to do so; refuses a collection that holds anything else')
    .option('--unreadable', 'remove those too that cannot be read, and so never expire')
    .option('--all', 'remove all of them, the live ones too: their channels lose them; asks first on a terminal')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'only say what would be removed')
    .action((given: PurgeOptions, command: Command) => purge(given, command.optsWithGlobals(), output));
}
