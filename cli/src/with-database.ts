import { type Db, MongoClient } from 'mongodb';
import type { Output } from './output.js';
import { UsageError } from './usage-error.js';

/** Options that every command has. */
export interface GlobalOptions {
  readonly url?: string | undefined;
  readonly db?: string | undefined;
  readonly json?: boolean | undefined;
  readonly tokens: string;
  readonly users: string;
  readonly sessions: string;
}

/** Unless the URL says otherwise: somebody waits for the answer. */
const serverSelectionTimeoutMS = 5_000;

/** Whether a connection string names its database. Without a name the driver takes `test`, which is seldom meant. */
function namesDatabase(url: string): boolean {
  return /^[^:]+:\/\/[^/?]*\/[^?]/.test(url);
}

/** @throws {UsageError} when `url` is none that the driver can read. */
function clientOf(url: string): MongoClient {
  const patience = /[?&]serverSelectionTimeoutMS=/i.test(url) ? {} : { serverSelectionTimeoutMS };
  try {
    return new MongoClient(url, { ...patience, appName: 'ws-with-cli' });
  } catch (error) {
    throw new UsageError(`The URL of the database cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * Runs `work` on the database and disconnects, whatever happens.
 *
 * @throws {UsageError} when no URL was given, or none that can be read, or an empty name.
 */
export async function withDatabase<T>(options: GlobalOptions, output: Output, work: (db: Db) => Promise<T>): Promise<T> {
  const url = options.url ?? process.env.MONGODB_URL;
  if (url === undefined || url === '') throw new UsageError('Name the database with --url mongodb://… or the variable MONGODB_URL.');
  // an empty variable of a shell, which the driver takes for `test`
  if (options.db === '') throw new UsageError('--db needs the name of the database.');
  const client = clientOf(url);
  try {
    await client.connect();
    const db = client.db(options.db);
    if (options.db === undefined && !namesDatabase(url))
      output.error(`The URL names no database: this is ${db.databaseName}. Give --db NAME for another.`);
    return await work(db);
  } finally {
    await client.close();
  }
}
