import type { CreateIndexesOptions, Db, IndexDescriptionInfo } from 'mongodb';
import { anything, checkedOptions, type Rules } from '../../src/checked-options.js';
import { timedRules } from '../../src/time/timed-options.js';
import { checkUsersBeside, collectionRules, type MongoCollections } from './mongo-collections.js';
import {
  broadcastIndexes,
  isOnFieldsOf,
  type NeededIndex,
  revocationIndexes,
  sessionIndexes,
  ticketIndexes,
  tokenIndexes,
} from './needed-indexes.js';
import { Operations } from './operations.js';
import { type MongoOptions, plainNumbers } from './options.js';
import { serverCodeOf, serverCodes } from './server-codes.js';
import { UserDocuments } from './user-documents.js';

/** Options of {@link ensureIndexes}. */
export interface EnsureIndexesOptions extends MongoCollections, MongoOptions {
  /** How long making one index may take, in milliseconds; over a large collection it takes time. @default 60,000 */
  readonly timeoutMs?: number | undefined;
}

const rules: Rules<EnsureIndexesOptions & { readonly db?: unknown }> = {
  ...timedRules,
  ...collectionRules,
  db: anything, // that of registerMongo, whose options can be given
};

/** Thrown by {@link ensureIndexes} when an existing index or document prevents a needed index. */
export class IndexConflictError extends Error {
  readonly code = 'ERR_INDEX_CONFLICT';

  constructor(message: string) {
    super(message);
    this.name = 'IndexConflictError';
  }
}

/**
 * Makes the indexes that the repositories and the stores need. It leaves existing ones alone.
 *
 * @throws {IndexConflictError} when an index on the same fields has other options, or documents break a unique one. Nothing is dropped.
 */
export async function ensureIndexes(db: Db, options: EnsureIndexesOptions = {}): Promise<void> {
  const owner = 'ensureIndexes';
  const { tokens, users = {}, sessions, tickets, broadcasts, feed, timeoutMs = 60_000, clock } = checkedOptions(owner, options, rules);
  checkUsersBeside(owner, tokens, users);
  const operations = new Operations({ timeoutMs, clock });
  const { collection, key, profile } = users; // whatever else registerMongo is given means nothing here
  const documents = new UserDocuments(`${owner}.users`, db, { collection, key, profile });
  const ensure = (name: string, needed: readonly NeededIndex[], isOfApplication = false): Promise<void> =>
    ensureAll({ db, operations, collection: name, isOfApplication }, needed);

  await ensure(tokens?.collection ?? 'tokens', tokenIndexes);
  await ensure(sessions?.collection ?? 'channelSessions', sessionIndexes);
  await ensure(tickets?.collection ?? 'tickets', ticketIndexes);
  await ensure(broadcasts?.collection ?? 'broadcasts', broadcastIndexes);
  if (feed !== false) await ensure((typeof feed === 'object' ? feed.collection : undefined) ?? 'revocations', revocationIndexes);
  if (documents.key !== '_id') {
    await ensure(documents.collection.collectionName, [{ key: { [documents.key]: 1 }, unique: true }], true);
  }
  if (profile) await ensure(profile.collection, [{ key: { [profile.foreignField]: 1 } }], true);
}

interface IndexPlace {
  readonly db: Db;
  readonly operations: Operations;
  readonly collection: string;
  /** Whether its documents are the application's: then any index of its own that serves the look-up will do, and it may be a view. */
  readonly isOfApplication: boolean;
}

async function ensureAll(place: IndexPlace, needed: readonly NeededIndex[]): Promise<void> {
  const { operations, collection, isOfApplication } = place;
  const present = await operations.run('list indexes', () => indexesOf(place));
  if (present === undefined) return;
  for (const index of needed) {
    if (isOfApplication && present.some((other) => serves(other, index))) continue;
    const same = present.find((other) => isOnFieldsOf(index, other));
    if (same === undefined) await create(place, index);
    else if (optionsOf(same) !== optionsOf(index)) {
      throw new IndexConflictError(
        `${collection} has the index ${same.name} on ${JSON.stringify(index.key)} with ${optionsOf(same)}, ` +
          `but ${optionsOf(index)} is needed. Drop it, or change it, and run ensureIndexes again.`,
      );
    }
  }
}

async function create({ db, operations, collection }: IndexPlace, { key, ...options }: NeededIndex): Promise<void> {
  try {
    await operations.run('create an index', () => db.collection(collection).createIndex(key, options));
  } catch (error) {
    const code = serverCodeOf(error);
    const isInTheWay = code === serverCodes.indexOptionsConflict || code === serverCodes.indexKeySpecsConflict;
    if (!isInTheWay && code !== serverCodes.duplicateKey) throw error;
    // the driver's own message may quote the values that are there twice
    const why = isInTheWay ? 'another index stands in its way' : 'its documents break it';
    throw new IndexConflictError(`${collection} cannot get an index on ${JSON.stringify(key)}: ${why} (MongoDB error ${code}).`);
  }
}

/** What there is; `undefined` for a view of the application's, which can have none of its own. */
async function indexesOf({ db, collection, isOfApplication }: IndexPlace): Promise<IndexDescriptionInfo[] | undefined> {
  try {
    return await db.collection(collection, plainNumbers).listIndexes({ readPreference: 'primary' }).toArray();
  } catch (error) {
    const code = serverCodeOf(error);
    if (code === serverCodes.namespaceNotFound) return []; // there is no such collection yet
    if (code === serverCodes.commandNotSupportedOnView && isOfApplication) return undefined;
    throw error;
  }
}

function serves(index: IndexDescriptionInfo, { key }: NeededIndex): boolean {
  return Object.keys(index.key)[0] === Object.keys(key)[0] && !index.sparse && index.partialFilterExpression === undefined;
}

/** What of an index's options decides whether it is the one that is needed, in a form that can be compared and shown. */
function optionsOf(index: NeededIndex | IndexDescriptionInfo): string {
  const { unique, expireAfterSeconds, partialFilterExpression, sparse, collation }: Omit<CreateIndexesOptions, 'key'> = index;
  return JSON.stringify({
    ...(unique && { unique }),
    ...(expireAfterSeconds !== undefined && { expireAfterSeconds }),
    ...(partialFilterExpression && { partialFilterExpression }),
    ...(sparse && { sparse }),
    ...(collation && { collation }),
  });
}
