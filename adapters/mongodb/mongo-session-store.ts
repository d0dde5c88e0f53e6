import type { Collection, CollectionOptions, Db, Filter } from 'mongodb';
import { checkedIds, checkId } from '../../src/check-id.js';
import { checkedDate } from '../../src/checked-date.js';
import { aName, checkedOptions } from '../../src/checked-options.js';
import type { SessionStore, StoredSession } from '../../src/contracts/session-store.js';
import { ChannelError } from '../../src/errors.js';
import { checkExpectedVersion, checkStoredSession } from '../../src/session/check-stored-session.js';
import { slicesOf } from '../../src/slices-of.js';
import { timedRules } from '../../src/time/timed-options.js';
import { Batches } from './batches.js';
import { checkDb } from './check-db.js';
import { Operations } from './operations.js';
import { type MongoOptions, plainNumbers } from './options.js';
import { serverCodeOf, serverCodes } from './server-codes.js';
import { fieldsOf, hasExpired, isLive, type SessionDocument, sessionOf } from './session-document.js';

/** Options of {@link MongoSessionStore}. */
export interface MongoSessionOptions extends MongoOptions {
  /** The collection that holds the sessions. @default 'channelSessions' */
  readonly collection?: string | undefined;
}

const owner = 'MongoSessionStore';

/** How many records one command touches at most. */
const maxTouched = 10_000;

/** A session as it is found, by all who look for it at the same time. */
interface FoundSession extends SessionDocument {
  readonly hasExpired: boolean;
}

/** Whatever the database was told about long integers, versions are numbers here. */
const collectionOptions: CollectionOptions = { ...plainNumbers, readPreference: 'primary' };

/**
 * Keeps channel sessions in MongoDB. Each operation is one command; those that load or destroy at the same time share commands. Rejects
 * with a `TimeoutError` after `timeoutMs`.
 */
export class MongoSessionStore implements SessionStore {
  /** After how many milliseconds an operation is given up. */
  readonly timeoutMs: number;
  readonly #sessions: Collection<SessionDocument>;
  readonly #operations: Operations;
  readonly #loads: Batches<FoundSession>;
  /** No answer but that it is done. */
  readonly #removals: Batches<undefined>;

  /** @throws {TypeError} when an option is out of its range, or the database is one that does not serve. */
  constructor(db: Db, options: MongoSessionOptions = {}) {
    const checked = checkedOptions(owner, options, { ...timedRules, collection: aName });
    this.#sessions = checkDb(owner, db).collection<SessionDocument>(checked.collection ?? 'channelSessions', collectionOptions);
    this.#operations = new Operations(checked);
    this.timeoutMs = this.#operations.timeoutMs;
    this.#loads = new Batches(this.#operations, 'load sessions', (ids, signal) => this.#loadAll(ids, signal));
    this.#removals = new Batches(this.#operations, 'destroy sessions', (ids) => this.#removeAll(ids));
  }

  /** As the contract says. An unreadable record gets an impossible version, so that the core reports it and treats it as absent. */
  async load(id: string): Promise<StoredSession | undefined> {
    checkId(`${owner}.load`, 'id', id);
    const found = await this.#operations.run('load a session', (signal) => this.#loads.ask(id, signal));
    if (found === undefined || found.hasExpired) return undefined;
    const { createdAt, expiresAt } = found;
    return sessionOf(found) ?? { version: Number.NaN, data: {}, createdAt, expiresAt };
  }

  async #loadAll(ids: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, FoundSession>> {
    const projection = { version: 1, data: 1, createdAt: 1, expiresAt: 1, hasExpired };
    const options = { projection, signal, batchSize: ids.length + 1 };
    const found = await this.#sessions.find<FoundSession>({ _id: { $in: ids } }, options).toArray();
    return new Map(found.map((document) => [document._id, document]));
  }

  async create(id: string, session: StoredSession): Promise<void> {
    checkId(`${owner}.create`, 'id', id);
    const fields = fieldsOf(checkStoredSession(`${owner}.create`, session));
    // in one step: the new record where there is none that counts, else what is there
    const update = [{ $replaceWith: { $cond: [isLive, '$$ROOT', { $literal: { _id: id, ...fields } }] } }];
    const written = await this.#operations.run('create a session', async () => {
      try {
        const { upsertedCount, modifiedCount } = await this.#sessions.updateOne({ _id: id }, update, { upsert: true });
        return upsertedCount + modifiedCount;
      } catch (error) {
        if (serverCodeOf(error) === serverCodes.duplicateKey) return 0; // two have inserted at the same moment
        throw error;
      }
    });
    if (written > 0 || (await this.#replaceUnreadable(id, fields))) return;
    throw new ChannelError('ERR_SESSION_CONFLICT', 'There is a session of this id already.');
  }

  async save(id: string, session: StoredSession, expectedVersion: number): Promise<void> {
    checkId(`${owner}.save`, 'id', id);
    checkExpectedVersion(`${owner}.save`, expectedVersion);
    const fields = fieldsOf(checkStoredSession(`${owner}.save`, session));
    const { createdAt } = fields;
    const filter: Filter<SessionDocument> = { _id: id, version: expectedVersion, createdAt, $expr: isLive };
    const { matchedCount } = await this.#operations.run('save a session', () => this.#sessions.updateOne(filter, { $set: fields }));
    if (matchedCount > 0) return;
    if (await this.#exists({ _id: id, createdAt, $expr: isLive }))
      throw new ChannelError('ERR_SESSION_CONFLICT', 'The session was saved by someone else meanwhile.');
    throw new ChannelError('ERR_SESSION_GONE', 'The session was destroyed, or it has expired.');
  }

  async touch(id: string, expiresAt: Date): Promise<void> {
    checkId(`${owner}.touch`, 'id', id);
    await this.touchMany([id], expiresAt);
  }

  async touchMany(ids: readonly string[], expiresAt: Date): Promise<void> {
    const checked = checkedIds(`${owner}.touchMany`, ids);
    const update = { $set: { expiresAt: checkedDate(`${owner}.touchMany`, 'expiresAt', expiresAt) } };
    for (const some of slicesOf(checked, maxTouched)) {
      const filter: Filter<SessionDocument> = { _id: { $in: some }, $expr: isLive };
      await this.#operations.run('touch sessions', () => this.#sessions.updateMany(filter, update));
    }
  }

  async destroy(id: string): Promise<void> {
    checkId(`${owner}.destroy`, 'id', id);
    await this.#operations.run('destroy a session', (signal) => this.#removals.ask(id, signal));
  }

  async #removeAll(ids: readonly string[]): Promise<ReadonlyMap<string, undefined>> {
    // not deleteMany, which the driver does not retry
    await this.#sessions.bulkWrite(
      ids.map((_id) => ({ deleteOne: { filter: { _id } } })),
      { ordered: false },
    );
    return new Map();
  }

  async #exists(filter: Filter<SessionDocument>): Promise<boolean> {
    const find = (signal: AbortSignal) => this.#sessions.findOne(filter, { projection: { _id: 1 }, signal });
    return (await this.#operations.run('find a session', find)) !== null;
  }

  /** Replaces a record whose data are no JSON, which the database cannot tell, if it is still the same; says whether it did. */
  async #replaceUnreadable(id: string, fields: Omit<SessionDocument, '_id'>): Promise<boolean> {
    const found = await this.#operations.run('find a session', (signal) => this.#sessions.findOne({ _id: id }, { signal }));
    if (found === null || sessionOf(found) !== undefined) return false;
    const { data, version } = found;
    const replace = () => this.#sessions.replaceOne({ _id: id, data, version }, fields);
    return (await this.#operations.run('create a session', replace)).matchedCount > 0;
  }
}
