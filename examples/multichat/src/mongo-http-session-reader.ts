import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { parseCookie } from 'cookie';
import type { Collection, Db, Document, Filter } from 'mongodb';
import { ChannelError, checkId, type HttpSession } from 'ws-with';
import { digestOf, type HttpSessions } from './http-sessions.js';
import { patienceMs, within } from './within.js';

/** A session as the collection holds it. */
interface HttpSessionDocument {
  /** The digest of its cookie, which is its id to all but the browser. */
  readonly _id: string;
  readonly userId?: string;
  /** JSON: as a document, keys of the data could mean something to the database. */
  readonly data: string;
  readonly expiresAt: Date;
}

/** Where the sessions are, and how long they last. */
export interface MongoHttpSessionOptions {
  /** Name of a session's cookie. */
  readonly cookie: string;
  /** How long a session lives after its creation or last save, in milliseconds. */
  readonly ttlMs: number;
}

const isLive: Document = { $expr: { $gt: ['$expiresAt', '$$NOW'] } };

/**
 * Keeps the sessions of the site in MongoDB. It is an adapter of this application's own: the package asks for an `HttpSessionReader`
 * and does not mind where it comes from.
 */
export class MongoHttpSessionReader implements HttpSessions {
  readonly timeoutMs: number = patienceMs;
  readonly #sessions: Collection<HttpSessionDocument>;
  readonly #options: MongoHttpSessionOptions;

  constructor(db: Db, options: MongoHttpSessionOptions) {
    this.#sessions = db.collection('httpSessions', { readPreference: 'primary', writeConcern: { w: 'majority' } });
    this.#options = options;
  }

  async ensureIndexes(): Promise<void> {
    await this.#sessions.createIndex({ expiresAt: 1 }, { expireAfterSeconds: 0 });
    await this.#sessions.createIndex({ userId: 1 });
  }

  async create(userId: string | undefined, data: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const cookie = randomBytes(24).toString('base64url');
    const fields = { _id: digestOf(cookie), ...(userId !== undefined && { userId }), data: JSON.stringify(data) };
    const insert = [{ $replaceWith: { $mergeObjects: [{ $literal: fields }, { expiresAt: this.#expiry() }] } }];
    await within(this.#sessions.updateOne({ _id: fields._id }, insert, { upsert: true }));
    return cookie;
  }

  async destroy(id: string): Promise<boolean> {
    return (await within(this.#sessions.deleteOne({ _id: id }))).deletedCount > 0;
  }

  /** Two different cookies of the name are none: which of them the site itself would take cannot be known. */
  async read({ headers }: IncomingMessage): Promise<HttpSession | undefined> {
    const values = (headers.cookie ?? '').split(';').flatMap((part) => parseCookie(part)[this.#options.cookie] ?? []);
    const [cookie, ...others] = new Set(values);
    return cookie === undefined || cookie === '' || others.length > 0 ? undefined : this.readById(digestOf(cookie));
  }

  async readById(id: string): Promise<HttpSession | undefined> {
    checkId('MongoHttpSessionReader.readById', 'id', id);
    return (await this.readByIds([id])).get(id);
  }

  async readByIds(ids: readonly string[]): Promise<ReadonlyMap<string, HttpSession>> {
    if (!Array.isArray(ids)) throw new TypeError('MongoHttpSessionReader.readByIds: ids must be an array');
    // `from`, since `forEach` passes over holes.
    const wanted = Array.from<string>(ids);
    for (const id of wanted) checkId('MongoHttpSessionReader.readByIds', 'ids', id);
    const sessions = await this.#find({ _id: { $in: wanted } });
    return new Map(sessions.map((session) => [session.id, session]));
  }

  async listOf(userId: string): Promise<readonly HttpSession[]> {
    return this.#find({ userId });
  }

  async #find(filter: Filter<HttpSessionDocument>): Promise<MongoHttpSession[]> {
    const documents = await within(this.#sessions.find({ ...filter, ...isLive }).toArray());
    return documents.map(({ _id, userId, data }) => new MongoHttpSession(_id, userId, data, (changed) => this.#save(_id, changed)));
  }

  async #save(_id: string, data: string): Promise<void> {
    const update = [{ $set: { data: { $literal: data }, expiresAt: this.#expiry() } }];
    const { matchedCount } = await within(this.#sessions.updateOne({ _id, ...isLive }, update));
    if (matchedCount === 0) throw new ChannelError('ERR_SESSION_GONE', 'The HTTP session was destroyed, or it has expired.');
  }

  #expiry(): Document {
    return { $add: ['$$NOW', this.#options.ttlMs] };
  }
}

class MongoHttpSession implements HttpSession {
  readonly id: string;
  readonly userId: string | undefined;
  data: Record<string, unknown>;
  readonly #write: (data: string) => Promise<void>;

  constructor(id: string, userId: string | undefined, data: string, write: (data: string) => Promise<void>) {
    this.id = id;
    this.userId = userId;
    this.data = JSON.parse(data) as Record<string, unknown>;
    this.#write = write;
  }

  save(): Promise<void> {
    return this.#write(JSON.stringify(this.data));
  }
}
