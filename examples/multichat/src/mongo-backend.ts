import { randomBytes } from 'node:crypto';
import MongoStore from 'connect-mongo';
import type { SessionData } from 'express-session';
import { type Db, MongoClient } from 'mongodb';
import type { DependencyContainer } from 'ws-with';
import { ensureIndexes, registerMongo } from 'ws-with/mongodb';
import { demoUsers } from './accounts.js';
import type { Backend, OpenBackend } from './backend.js';
import type { Member } from './member.js';
import { MongoMessageLog } from './mongo-message-log.js';
import type { SiteSessions } from './session-log-ins.js';

/** How long an operation on the database may take, in milliseconds, whether or not the driver has given up by then. */
const timeoutMS = 3_000;

/**
 * Everything in the database that `url` names, which several processes can share. It must be a replica set, of one server at least.
 *
 * @param reachMs how long an operation waits for a database that is out of reach, in milliseconds. The driver's own patience is half a
 * minute: too long for somebody who looks at a page that is to say so. @default 3,000
 */
export function mongoBackend(url: string, { reachMs = 3_000 }: { readonly reachMs?: number } = {}): OpenBackend {
  return async (container) => {
    const patience = { serverSelectionTimeoutMS: reachMs, connectTimeoutMS: 2_000, heartbeatFrequencyMS: Math.min(2_000, reachMs) };
    const client = new MongoClient(url, { appName: 'MultiChat', ...patience });
    return open(client, container).catch(async (error: unknown) => {
      await client.close();
      throw error;
    });
  };
}

async function open(client: MongoClient, container: DependencyContainer): Promise<Backend> {
  const db = client.db();
  // revocations too: the channels of a log-in that ends are closed on every process
  const { tokens, users, broadcaster, close } = registerMongo(container, {
    db,
    users: { map: ({ _id, name, staff }): Member => ({ id: String(_id), isAuthenticated: true, name, staff }) },
    feed: { httpSessions: 'httpSessions' },
  });
  const log = new MongoMessageLog(db, { timeoutMS });
  await ensureIndexes(db);
  await log.ensureIndexes();
  await addDemoUsers(db);
  return {
    tokens,
    users,
    sessions: await mongoSessions(client, db),
    log,
    broadcaster,
    async close() {
      await close();
      await client.close().catch(() => {});
    },
  };
}

async function mongoSessions(client: MongoClient, db: Db): Promise<SiteSessions> {
  const collectionName = 'httpSessions';
  const sessions = db.collection<{ readonly _id: string; readonly session: SessionData }>(collectionName, { timeoutMS });
  await sessions.createIndex({ 'session.userId': 1 });
  const store = MongoStore.create({ client, dbName: db.databaseName, collectionName, stringify: false, touchAfter: 3_600 });
  const of = async (userId: string) => {
    const found = sessions.find({ 'session.userId': userId, expires: { $gt: new Date() } }).sort({ 'session.createdAt': 1 });
    return new Map((await found.toArray()).map(({ _id, session }) => [_id, session]));
  };
  return { store, secret: await sharedSecret(db), of };
}

/** The first process makes it, and all have the same. */
async function sharedSecret(db: Db): Promise<string> {
  const secrets = db.collection<{ readonly _id: string; readonly secret: string }>('secrets', { timeoutMS });
  const made = { $setOnInsert: { secret: randomBytes(32).toString('hex') } };
  return (await secrets.findOneAndUpdate({ _id: 'sessions' }, made, { upsert: true, returnDocument: 'after' }))!.secret;
}

/** Who can log in is in the code. What a member is called and may do is in the database, and stays as somebody has changed it there. */
async function addDemoUsers(db: Db): Promise<void> {
  const users = db.collection<{ readonly _id: string; readonly name: string; readonly staff: boolean }>('users', { timeoutMS });
  const upserts = demoUsers.map(({ member: { id, name, staff } }) => ({
    updateOne: { filter: { _id: id }, update: { $setOnInsert: { name, staff } }, upsert: true },
  }));
  await users.bulkWrite(upserts, { ordered: false });
}
