import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { parseCookie } from 'cookie';
import type { Collection, Db, Document, Filter } from 'mongodb';
import { ChannelError, checkId, type HttpSession } from 'ws-with';
import { digestOf, type HttpSessions } from './http-sessions.js';
import { patienceMs, within } from './within.js';

/** A session as the collection holds it. */
interface HttpSessionDocument {
  /** The digest of its id. */
  readonly _id: string;
  readonly userId?: string;
  /** JSON: as a document, keys of the data could mean something to the database. */
  readonly data: string;
  readonly expiresAt: Date;
}

/** Where the sessions are, and how long they last. */
export interface MongoHttpSessionOptions {
  /** Name of the cookie that holds a session's id. */
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
  }

  async create(userId: string | undefined, data: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const id = randomBytes(24).toString('base64url');
    const fields = { _id: digestOf(id), ...(userId !== undefined && { userId }), data: JSON.stringify(data) };
    const insert = [{ $replaceWith: { $mergeObjects: [{ $literal: fields }, { expiresAt: this.#expiry() }] } }];
    await within(this.#sessions.updateOne({ _id: fields._id }, insert, { upsert: true }));
    return id;
  }

  async destroy(id: string): Promise<boolean> {
    return (await within(this.#sessions.deleteOne({ _id: digestOf(id) }))).deletedCount > 0;
  }

  /** Two different cookies of the name are none: which of them the site itself would take cannot be known. */
  async read({ headers }: IncomingMessage): Promise<HttpSession | undefined> {
    const values = (headers.cookie ?? '').split(';').flatMap((part) => parseCookie(part)[this.#options.cookie] ?? []);
    const [id, ...others] = new Set(values);
    return id === undefined || id === '' || others.length > 0 ? undefined : this.readById(id);
  }

  async readById(id: string): Promise<HttpSession | undefined> {
    checkId('MongoHttpSessionReader.readById', 'id', id);
    return (await this.readByIds([id])).get(id);
  }

  async readByIds(ids: readonly string[]): Promise<ReadonlyMap<string, HttpSession>> {
    if (!Array.isArray(ids)) throw new TypeError('MongoHttpSessionReader.readByIds: ids must be an array');
    // `from`, since `map` passes over holes.
    const byDigest = new Map(Array.from(ids, (id) => [idDigest(id), id]));
    const filter: Filter<HttpSessionDocument> = { _id: { $in: [...byDigest.keys()] }, ...isLive };
    const found = new Map<string, HttpSession>();
    for (const { _id, userId, data } of await within(this.#sessions.find(filter).toArray())) {
      const id = byDigest.get(_id) as string;
      found.set(id, new MongoHttpSession(id, userId, data, (changed) => this.#save(_id, changed)));
    }
    return found;
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

function idDigest(id: string): string {
  checkId('MongoHttpSessionReader.readByIds', 'ids', id);
  return digestOf(id);
}

/** The id is a getter of the class: what prints or serializes the session does not see it. */
class MongoHttpSession implements HttpSession {
  readonly userId: string | undefined;
  data: Record<string, unknown>;
  readonly #id: string;
  readonly #write: (data: string) => Promise<void>;

  constructor(id: string, userId: string | undefined, data: string, write: (data: string) => Promise<void>) {
    this.#id = id;
    this.#write = write;
    this.userId = userId;
    this.data = JSON.parse(data) as Record<string, unknown>;
  }

  get id(): string {
    return this.#id;
  }

  save(): Promise<void> {
    return this.#write(JSON.stringify(this.data));
  }
}
