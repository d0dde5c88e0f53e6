import {
  type AnyBulkWriteOperation,
  BSON,
  type ChangeStreamDocument,
  type Collection,
  type Document,
  type Filter,
  type FindCursor,
} from 'mongodb';
import { slicesOf } from '../../src/slices-of.js';
import { isTokenKey, tokenIdOf } from '../../src/token-id.js';
import { maxBatchSize } from './batches.js';
import type { Operations } from './operations.js';
import { byMajority } from './options.js';
import type { TokenDocument } from './token-document.js';
import { notRevoked } from './token-filters.js';
import { isUserKey } from './user-key.js';

/** What an import did. */
export interface DrfImportCounts {
  imported: number;
  revoked: number;
  skipped: number;
}

interface Places {
  /** The collection of Django REST framework: `key`, `user_id`, `created`. */
  readonly source: Collection;
  readonly tokens: Collection<TokenDocument>;
  /** What `importedFrom` says of its tokens. */
  readonly name: string;
  readonly operations: Operations;
}

const projection = { key: 1, user_id: 1, created: 1 };

/** Carries tokens from a collection of Django REST framework over into ours: all of them, or by one change at a time. */
export class DrfSource {
  readonly #places: Places;

  constructor(places: Places) {
    this.#places = places;
  }

  /**
   * Imports all tokens, and revokes those of an earlier import that are no longer there.
   *
   * @throws {Error} when there is no such collection: one that was dropped is not one whose tokens were deleted.
   */
  async importAll(signal: AbortSignal): Promise<DrfImportCounts> {
    const { source, operations } = this.#places;
    await operations.run('find the collection to import from', () => this.#checkExists());
    const counts: DrfImportCounts = { imported: 0, revoked: 0, skipped: 0 };
    // read before the source is: what another process imports meanwhile is not among them, and so is not missed below
    const gone = await this.#importedIds(signal);
    const seen = new Set<string>();
    const cursor = source.find({}, { projection, readPreference: 'primary', batchSize: maxBatchSize });
    for await (const documents of this.#read('read tokens to import', cursor, signal)) {
      for (const id of await this.#write(documents, counts, seen)) gone.delete(id);
    }
    for (const ids of slicesOf([...gone], maxBatchSize)) counts.revoked += await this.#revoke({ _id: { $in: ids } });
    return counts;
  }

  /** Carries one change over. */
  async apply(change: ChangeStreamDocument): Promise<void> {
    if (change.operationType === 'delete') {
      await this.#revoke(this.#importedAs(change.documentKey._id));
      return;
    }
    if (change.operationType !== 'insert' && change.operationType !== 'update' && change.operationType !== 'replace') {
      throw new Error('The collection that tokens are imported from was dropped or renamed.');
    }
    const document = change.fullDocument;
    if (document == null) return; // it was deleted since, and that change is on its way
    const written = await this.#write([document], { imported: 0, revoked: 0, skipped: 0 }, new Set());
    // a document whose key was changed, or is none any more, must not leave its old token behind
    await this.#revoke({ $and: [this.#importedAs(change.documentKey._id), { _id: { $nin: written } }] });
  }

  async #checkExists(): Promise<void> {
    const { source } = this.#places;
    const options = { nameOnly: true, authorizedCollections: true, readPreference: 'primary' } as const;
    const found = await source.db.listCollections({ name: source.collectionName }, options).toArray();
    if (found.length === 0) throw new Error(`There is no collection ${source.namespace} to import tokens from.`);
  }

  async #importedIds(signal: AbortSignal): Promise<Set<string>> {
    const { tokens, name } = this.#places;
    const filter: Filter<TokenDocument> = { importedFrom: name, ...notRevoked };
    const cursor = tokens.find(filter, { projection: { _id: 1 }, readPreference: 'primary', batchSize: maxBatchSize });
    const ids = new Set<string>();
    for await (const documents of this.#read('read imported tokens', cursor, signal)) for (const { _id } of documents) ids.add(_id);
    return ids;
  }

  /** What a cursor has, some at a time. Where the database does not answer, it is let go all the same. */
  async *#read<Row>(what: string, cursor: FindCursor<Row>, signal: AbortSignal): AsyncIterable<Row[]> {
    const { operations } = this.#places;
    try {
      for (;;) {
        signal.throwIfAborted();
        const documents = await operations.run(what, () => nextOf(cursor));
        if (documents.length === 0) return;
        yield documents;
      }
    } finally {
      await operations.run('close a cursor', () => cursor.close()).catch(() => undefined);
    }
  }

  /**
   * Writes the tokens of these documents; returns their ids. What is no token is counted and left, and so is a key that another document
   * has given before, in this import or an earlier one: it must not become another user's.
   */
  async #write(documents: readonly Document[], counts: DrfImportCounts, seen: Set<string>): Promise<string[]> {
    const { tokens, operations, name } = this.#places;
    const now = new Date(operations.clock.now());
    const writes: (AnyBulkWriteOperation<TokenDocument> & { updateOne: { filter: { _id: string } } })[] = [];
    const read = documents.map((document) => tokenOf(document, name, now));
    const imported = await this.#imported(read.flatMap((token) => token?._id ?? []));
    for (const token of read) {
      if (token === undefined || seen.has(token._id) || isOfAnother(token, imported.get(token._id))) counts.skipped += 1;
      else {
        seen.add(token._id);
        const { _id, userId, ...rest } = token;
        // one that was revoked here stays so, whatever the source says
        writes.push({ updateOne: { filter: { _id }, update: { $set: { userId }, $setOnInsert: rest }, upsert: true } });
      }
    }
    if (writes.length === 0) return [];
    const { upsertedCount } = await operations.run('import tokens', () => tokens.bulkWrite(writes, { ordered: false }));
    counts.imported += upsertedCount;
    return writes.map(({ updateOne }) => updateOne.filter._id);
  }

  /** Those of these tokens that were imported before. */
  async #imported(ids: readonly string[]): Promise<Map<string, Origin>> {
    const { tokens, operations, name } = this.#places;
    const filter = { _id: { $in: [...ids] }, importedFrom: name };
    const find = (signal: AbortSignal): Promise<(Origin & Pick<TokenDocument, '_id'>)[]> =>
      tokens.find(filter, { projection: { userId: 1, sourceId: 1 }, readPreference: 'primary', signal }).toArray();
    return new Map((await operations.run('find imported tokens', find)).map((token) => [token._id, token]));
  }

  /** The filter of the token that was imported from the document with this `_id`. */
  #importedAs(sourceId: unknown): Filter<TokenDocument> {
    const { name } = this.#places;
    // compared as a value, and never taken for absence: `null` alone would mean all that have none
    const bySource: Filter<TokenDocument> = { sourceId: { $eq: sourceId, $exists: true } };
    if (!isKeyAsId(sourceId)) return { importedFrom: name, ...bySource };
    return { importedFrom: name, $or: [bySource, { _id: tokenIdOf(sourceId), sourceId: { $exists: false } }] };
  }

  async #revoke(filter: Filter<TokenDocument>): Promise<number> {
    const { tokens, operations } = this.#places;
    const revokedAt = new Date(operations.clock.now());
    const unrevoked: Filter<TokenDocument> = { $and: [filter, notRevoked] };
    const write = () => tokens.updateMany(unrevoked, { $set: { revokedAt }, $unset: { slot: '' } }, byMajority);
    return (await operations.run('revoke imported tokens', write)).modifiedCount;
  }
}

/**
 * The token of a document, or `undefined` where it is none. Some backends of Django make the key the `_id`; it is not kept then. Other
 * strings are no keys for want of one: the ids of another collection, which are no secrets, would become tokens.
 */
function tokenOf(document: Document, importedFrom: string, now: Date): TokenDocument | undefined {
  const { _id, key, user_id: user, created } = document;
  const isId = key === undefined && isKeyAsId(_id);
  const given: unknown = isId ? _id : key;
  if (!isTokenKey(given) || !isUserKey(user)) return undefined;
  const createdAt = new Date(created instanceof Date || typeof created === 'string' ? created : now);
  return {
    _id: tokenIdOf(given),
    userId: user,
    createdAt: Number.isNaN(createdAt.getTime()) ? now : createdAt,
    importedFrom,
    ...(!isId && _id !== undefined && { sourceId: _id }), // which a view may leave out
  };
}

/** Whose a token is, and of which document. */
type Origin = Pick<TokenDocument, 'userId' | 'sourceId'>;

/** Whether a token was imported from another document, and is another user's. */
function isOfAnother(token: Origin, imported: Origin | undefined): boolean {
  if (imported === undefined || String(imported.userId) === String(token.userId)) return false;
  return BSON.EJSON.stringify({ id: imported.sourceId }) !== BSON.EJSON.stringify({ id: token.sourceId });
}

/** Whether an `_id` is a key as Django REST framework makes them. */
function isKeyAsId(id: unknown): id is string {
  return typeof id === 'string' && /^[0-9a-f]{40}$/.test(id);
}

async function nextOf<Schema>(cursor: FindCursor<Schema>): Promise<Schema[]> {
  const documents: Schema[] = [];
  while (documents.length < maxBatchSize) {
    const document = await cursor.next();
    if (document === null) break;
    documents.push(document);
  }
  return documents;
}
