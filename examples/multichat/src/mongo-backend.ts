import { type Db, type Document, MongoClient } from 'mongodb';
import { type DependencyContainer, HTTP_SESSION_READER } from 'ws-with';
import { ensureIndexes, registerMongo } from 'ws-with/mongodb';
import { demoUsers } from './accounts.js';
import type { Backend, Followed, OpenBackend } from './backend.js';
import { ChangeFeed } from './change-feed.js';
import { logInTtlMs } from './log-ins.js';
import type { Member } from './member.js';
import { type EventDocument, MongoEventLog } from './mongo-event-log.js';
import { MongoHttpSessionReader } from './mongo-http-session-reader.js';
import { MongoPresence, type PresenceDocument } from './mongo-presence.js';
import { within } from './within.js';

/** A member as the collection `users` holds it. */
interface MemberDocument {
  readonly _id: string;
  readonly name: string;
  readonly staff: boolean;
}

/** How long the chat waits for a database that is out of reach. */
export interface MongoPatience {
  /**
   * For an operation, in milliseconds. The driver's own patience is half a minute: too long for somebody who looks at a page that is to
   * say so. @default 3_000
   */
  readonly reachMs?: number;
  /** Until pages are told that it cannot be followed, in milliseconds. @default 5_000 */
  readonly unnoticedMs?: number;
}

/**
 * Everything in the database that `url` names, which several processes can share. It must be a replica set, of one server at least.
 */
export function mongoBackend(url: string, { reachMs = 3_000, unnoticedMs = 5_000 }: MongoPatience = {}): OpenBackend {
  return async (container) => {
    const patience = { serverSelectionTimeoutMS: reachMs, connectTimeoutMS: 2_000, heartbeatFrequencyMS: Math.min(2_000, reachMs) };
    const client = new MongoClient(url, { appName: 'MultiChat', ...patience });
    try {
      return await open(client, container, unnoticedMs);
    } catch (error) {
      await client.close();
      throw error;
    }
  };
}

async function open(client: MongoClient, container: DependencyContainer, unnoticedMs: number): Promise<Backend> {
  const db = client.db();
  // Revocations too: the channels of a log-in that ends are closed on every process.
  const { tokens, users, close } = registerMongo(container, { db, users: { map: memberOf }, feed: { httpSessions: 'httpSessions' } });
  // An adapter of our own, injected like those of the package.
  const httpSessions = new MongoHttpSessionReader(db, { cookie: 'sessionid', ttlMs: logInTtlMs });
  container.register(HTTP_SESSION_READER, { useValue: httpSessions });
  const log = new MongoEventLog(db);
  await ensureIndexes(db);
  await httpSessions.ensureIndexes();
  await log.ensureIndexes();
  await addDemoUsers(db);
  let presence: MongoPresence | undefined;
  let feed: ChangeFeed | undefined;
  return {
    tokens,
    users,
    httpSessions,
    log,
    async follow(chat) {
      presence = new MongoPresence(db, chat.rooms);
      feed = changeFeed(chat, { db, log, presence, unnoticedMs });
      await feed.start();
      presence.start();
    },
    async close() {
      await presence?.close();
      await feed?.close();
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

interface Sources {
  readonly db: Db;
  readonly log: MongoEventLog;
  readonly presence: MongoPresence;
  readonly unnoticedMs: number;
}

/** What is done here about what other processes do, and about what this one does in its log. */
function changeFeed({ rooms, channels }: Followed, { db, log, presence, unnoticedMs }: Sources): ChangeFeed {
  log.onEvent = (event) => rooms.happened(event);
  rooms.onMove = () => presence.changed();
  return new ChangeFeed({
    db,
    pipeline: [{ $match: { $or: [isEvent, isPresence] } }],
    onChange(change) {
      if (!('documentKey' in change)) return;
      const id = String(change.documentKey._id);
      const document = 'fullDocument' in change ? change.fullDocument : undefined;
      if (change.ns.coll === 'events') log.tell(document as EventDocument);
      else if (document) presence.read(document as PresenceDocument);
      else if (change.operationType === 'delete') presence.gone(id);
    },
    async onGap(now) {
      await presence.readAll();
      await log.catchUp(now);
    },
    unnoticedMs,
    // Whoever cannot hear the others is told so: the page shows that it waits, and comes back when it can.
    onLost() {
      for (const channel of [...channels]) channel.close(1013, 'try again later');
    },
  });
}

const isEvent = { 'ns.coll': 'events', operationType: 'insert' };
const isPresence = { 'ns.coll': 'presence', operationType: { $in: ['insert', 'update', 'replace', 'delete'] } };
