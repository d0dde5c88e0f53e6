import type { Db, Document, Filter } from 'mongodb';
import { UsageError } from './usage-error.js';

/** Documents all of whose fields are among these. */
const onlyFields = (...fields: readonly string[]): Filter<Document> => ({
  $expr: { $setIsSubset: [{ $map: { input: { $objectToArray: '$$ROOT' }, in: '$$this.k' } }, fields] },
});

const inSessions = onlyFields('_id', 'version', 'data', 'createdAt', 'expiresAt');

/** Channel sessions: they have the fields that ours have, of the types that ours have, and no others. */
export const sessionFilter: Filter<Document> = {
  version: { $type: 'number' },
  data: { $type: 'string' },
  createdAt: { $type: 'date' },
  expiresAt: { $type: 'date' },
  ...inSessions,
};

/** Also those of ours that cannot be read any more. */
const sessionLike: Filter<Document> = { version: { $exists: true }, data: { $exists: true }, ...inSessions };

/** Those of ours that cannot be read any more: none of them ever expires. */
export const unreadableSessionFilter: Filter<Document> = { $and: [sessionLike, { $nor: [sessionFilter] }] };

/** Tokens: known by a digest, of a user. */
const tokenFilter: Filter<Document> = { _id: { $type: 'string', $regex: '^[0-9a-f]{64}$' } as never, userId: { $exists: true } };

/** @throws {UsageError} when the collection holds anything but channel sessions. */
export function checkSessions(db: Db, collection: string): Promise<void> {
  return checkOurs(db, collection, 'channel sessions', sessionLike);
}

/** @throws {UsageError} when the collection holds anything but tokens. */
export function checkTokens(db: Db, collection: string): Promise<void> {
  return checkOurs(db, collection, 'tokens', tokenFilter);
}

async function checkOurs(db: Db, collection: string, what: string, ours: Filter<Document>): Promise<void> {
  const other = await db.collection(collection).findOne({ $nor: [ours] }, { projection: { _id: 1 } });
  if (other === null) return;
  throw new UsageError(
    `The collection ${collection} of the database ${db.databaseName} holds other documents than ${what}. Nothing was done.`,
  );
}
