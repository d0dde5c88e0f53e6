import { type Collection, type CollectionOptions, type Db, type Document, type Filter, MongoServerError } from 'mongodb';
import type { JsonObject, SessionStore, StoredSession } from '../../src/contracts/session-store.js';
import { ChannelError } from '../../src/errors.js';
import { Operations } from './operations.js';
import { checkDb, checkName, type MongoOptions } from './options.js';

/** Options of {@link MongoSessionStore}. */
export interface MongoSessionOptions extends MongoOptions {
  /** The collection that holds the sessions. @default 'channelSessions' */
  readonly collection?: string | undefined;
}

/** A session as the collection holds it. */
interface SessionDocument {
  readonly _id: string;
  readonly version: number;
  /** JSON: as a document, keys and values of clients could mean something to the database or its driver. */
  readonly data: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

const owner = 'MongoSessionStore';

/** True for a record that has expired, by the clock of the database. One whose time cannot be read has not: it is corrupt. */
const hasExpired: Document = { $and: [{ $eq: [{ $type: '$expiresAt' }, 'date'] }, { $lte: ['$expiresAt', '$$NOW'] }] };
const isLive: Document = { $not: [hasExpired] };

/** How many records one command touches at most. */
const maxTouched = 10_000;

/** Whatever the database was told about numbers, versions are numbers here. */
const collectionOptions: CollectionOptions = { promoteValues: true, promoteLongs: true, useBigInt64: false, readPreference: 'primary' };

/** Keeps channel sessions in MongoDB. Each operation is one command. Rejects with a `TimeoutError` after `timeoutMs`. */
export class MongoSessionStore implements SessionStore {
  /** After how many milliseconds an operation is given up. */
  readonly timeoutMs: number;
  readonly #sessions: Collection<SessionDocument>;
  readonly #operations: Operations;

  /** @throws {TypeError} when an option is out of its range. */
  constructor(db: Db, options: MongoSessionOptions = {}) {
    const { collection = 'channelSessions' } = options;
    this.#sessions = checkDb(owner, db).collection<SessionDocument>(checkName(owner, 'collection', collection), collectionOptions);
    this.#operations = new Operations(owner, options);
    this.timeoutMs = this.#operations.timeoutMs;
  }

  /** As the contract says. A corrupt record is handed over as far as it can be read: the core reports it and treats it as absent. */
  async load(id: string): Promise<StoredSession | undefined> {
    const projection = { _id: 0, version: 1, data: 1, createdAt: 1, expiresAt: 1, hasExpired };
    const document = await this.#operations.run('load a session', (signal) =>
      this.#sessions.findOne<Omit<SessionDocument, '_id'> & { hasExpired: boolean }>({ _id: id }, { projection, signal }),
    );
    if (document === null || document.hasExpired) return undefined;
    const { version, data, createdAt, expiresAt } = document;
    return { version, data: parsed(data), createdAt, expiresAt };
  }

  async create(id: string, session: StoredSession): Promise<void> {
    // In one step: the new record where there is none or an expired one, else what is there.
    const replacement = { $literal: { _id: id, ...fieldsOf(session) } };
    const isThere = { $and: [{ $ne: [{ $type: '$version' }, 'missing'] }, isLive] };
    const update = [{ $replaceWith: { $cond: [isThere, '$$ROOT', replacement] } }];
    const written = await this.#operations.run('create a session', async () => {
      try {
        const { upsertedCount, modifiedCount } = await this.#sessions.updateOne({ _id: id }, update, { upsert: true });
        return upsertedCount + modifiedCount;
      } catch (error) {
        // Two that inserted at the same moment.
        if (error instanceof MongoServerError && error.code === 11_000) return 0;
        throw error;
      }
    });
    if (written === 0) throw new ChannelError('ERR_SESSION_CONFLICT', 'There is a session of this id already.');
  }

  async save(id: string, session: StoredSession, expectedVersion: number): Promise<void> {
    const filter: Filter<SessionDocument> = { _id: id, version: expectedVersion, $expr: isLive };
    const fields = fieldsOf(session);
    const { matchedCount } = await this.#operations.run('save a session', () => this.#sessions.updateOne(filter, { $set: fields }));
    if (matchedCount > 0) return;
    if (await this.#exists(id)) throw new ChannelError('ERR_SESSION_CONFLICT', 'The session was saved by someone else meanwhile.');
    throw new ChannelError('ERR_SESSION_GONE', 'The session was destroyed, or it has expired.');
  }

  touch(id: string, expiresAt: Date): Promise<void> {
    return this.touchMany([id], expiresAt);
  }

  async touchMany(ids: readonly string[], expiresAt: Date): Promise<void> {
    checkDate(expiresAt, 'expiresAt');
    for (let start = 0; start < ids.length; start += maxTouched) {
      const filter: Filter<SessionDocument> = { _id: { $in: ids.slice(start, start + maxTouched) }, $expr: isLive };
      await this.#operations.run('touch sessions', () => this.#sessions.updateMany(filter, { $set: { expiresAt } }));
    }
  }

  async destroy(id: string): Promise<void> {
    await this.#operations.run('destroy a session', () => this.#sessions.deleteOne({ _id: id }));
  }

  async #exists(id: string): Promise<boolean> {
    const filter: Filter<SessionDocument> = { _id: id, $expr: isLive };
    const find = (signal: AbortSignal) => this.#sessions.findOne(filter, { projection: { _id: 1 }, signal });
    return (await this.#operations.run('find a session', find)) !== null;
  }
}

/** @throws {TypeError} when JSON cannot hold the data, or a date is invalid. */
function fieldsOf({ version, data, createdAt, expiresAt }: StoredSession): Omit<SessionDocument, '_id'> {
  return {
    version,
    data: JSON.stringify(data),
    createdAt: checkDate(createdAt, 'createdAt'),
    expiresAt: checkDate(expiresAt, 'expiresAt'),
  };
}

function checkDate(date: Date, name: string): Date {
  if (!(date instanceof Date) || Number.isNaN(date.getTime())) throw new TypeError(`${owner}: ${name} must be a valid Date`);
  return date;
}

/** The data of a record. What is no JSON is given as it is, and no reader takes it for a session's. */
function parsed(data: unknown): JsonObject {
  try {
    return JSON.parse(data as string) as JsonObject;
  } catch {
    return data as JsonObject;
  }
}
