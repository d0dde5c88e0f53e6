import { randomUUID } from 'node:crypto';
import { type CommandStartedEvent, type Db, MongoClient, type MongoClientOptions } from 'mongodb';
import { afterAll, describe, inject } from 'vitest';

const shared = inject('mongod');

/** The server that all test files share. */
export const url: string = 'url' in shared ? shared.url : '';

/** A suite that needs MongoDB; where there is none it is skipped, and its name says why. */
export function describeOnMongo(name: string, suite: () => void): void {
  if ('missing' in shared) describe.skip(`${name} (skipped: ${shared.missing})`, suite);
  else describe(name, suite);
}

/** A client of a test file's own, with an empty database that is dropped after it. */
export interface TestDatabase {
  readonly client: MongoClient;
  readonly db: Db;
  /** Names of the commands sent since the last call, in order; without those that the driver sends for itself. */
  commands(): string[];
}

/** Opens a database of its own, and drops it when the test file is done. */
export function openDatabase(options: MongoClientOptions = {}): TestDatabase {
  const client = new MongoClient(url || 'mongodb://127.0.0.1:1', { ...options, monitorCommands: true });
  const db = client.db(`ws-with-${randomUUID()}`);
  let names: string[] = [];
  client.on('commandStarted', (event: CommandStartedEvent) => names.push(event.commandName));
  afterAll(async () => {
    if (url !== '') await db.dropDatabase();
    await client.close();
  });
  return {
    client,
    db,
    commands() {
      const sent = names.filter((name) => name !== 'endSessions');
      names = [];
      return sent;
    },
  };
}
