import { type Db, type Document, MongoClient } from 'mongodb';
import { type DependencyContainer, HTTP_SESSION_READER } from 'ws-with';
import { ensureIndexes, registerMongo } from 'ws-with/mongodb';
import { demoUsers } from './accounts.js';
import type { Backend, OpenBackend } from './backend.js';
import { logInTtlMs } from './log-ins.js';
import type { Member } from './member.js';
import { MongoHttpSessionReader } from './mongo-http-session-reader.js';
import { MongoMessageLog } from './mongo-message-log.js';
import { within } from './within.js';

/** A member as the collection `users` holds it. */
interface MemberDocument {
  readonly _id: string;
  readonly name: string;
  readonly staff: boolean;
}

/**
 * Everything in the database that `url` names, which several processes can share. It must be a replica set, of one server at least.
 *
 * @param reachMs how long an operation waits for a database that is out of reach, in milliseconds. The driver's own patience is half a minute: too long for
 * somebody who looks at a page that is to say so. @default 3_000
 */
export function mongoBackend(url: string, { reachMs = 3_000 }: { readonly reachMs?: number } = {}): OpenBackend {
  return async (container) => {
    const patience = { serverSelectionTimeoutMS: reachMs, connectTimeoutMS: 2_000, heartbeatFrequencyMS: Math.min(2_000, reachMs) };
    const client = new MongoClient(url, { appName: 'MultiChat', ...patience });
    try {
      return await open(client, container);
    } catch (error) {
      await client.close();
      throw error;
    }
  };
}

async function open(client: MongoClient, container: DependencyContainer): Promise<Backend> {
  const db = client.db();
  // Revocations too: the channels of a log-in that ends are closed on every process.
  const { tokens, users, broadcaster, close } = registerMongo(container, {
    db,
    users: { map: memberOf },
    feed: { httpSessions: 'httpSessions' },
  });
  // An adapter of our own, injected like those of the package.
  const httpSessions = new MongoHttpSessionReader(db, { cookie: 'sessionid', ttlMs: logInTtlMs });
  container.register(HTTP_SESSION_READER, { useValue: httpSessions });
  const log = new MongoMessageLog(db);
  await ensureIndexes(db);
  await httpSessions.ensureIndexes();
  await log.ensureIndexes();
  await addDemoUsers(db);
  return {
    tokens,
    users,
    httpSessions,
    log,
    broadcaster,
    async close() {
      await close();
      await within(client.close()).catch(() => {});
    },
  };
}

/** Who can log in is in the code. What a member is called and may do is in the database, and stays as somebody has changed it there. */
async function addDemoUsers(db: Db): Promise<void> {
  const users = demoUsers.map(({ member: { id, name, staff } }) => ({
    updateOne: { filter: { _id: id }, update: { $setOnInsert: { name, staff } }, upsert: true },
  }));
  await within(db.collection<MemberDocument>('users').bulkWrite(users, { ordered: false }));
}

function memberOf({ _id, name, staff }: Document): Member {
  return { id: String(_id), isAuthenticated: true, name, staff };
}
