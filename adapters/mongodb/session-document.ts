import type { Document } from 'mongodb';
import { isValidDate } from '../../src/checked-date.js';
import type { StoredSession } from '../../src/contracts/session-store.js';
import { parsedObject } from '../../src/parsed-object.js';
import { latestTime } from '../../src/time/time-spans.js';

/** A session as the collection holds it. */
export interface SessionDocument {
  readonly _id: string;
  readonly version: number;
  /** JSON: as a document, keys and values of clients could mean something to the database or its driver. */
  readonly data: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** The ends of what a `Date` can hold; dates of the database go further. */
const [firstDate, lastDate] = [new Date(-latestTime), new Date(latestTime)];

const hasDate = (field: string): Document => ({
  $and: [{ $eq: [{ $type: field }, 'date'] }, { $gte: [field, firstDate] }, { $lte: [field, lastDate] }],
});
/** What is no number is not compared with one: the database orders values of different types, too. */
const hasVersion: Document = {
  $cond: [
    { $in: [{ $type: '$version' }, ['int', 'long', 'double']] },
    { $and: [{ $gte: ['$version', 1] }, { $lte: ['$version', Number.MAX_SAFE_INTEGER] }, { $eq: [{ $trunc: '$version' }, '$version'] }] },
    false,
  ],
};

/** True for a record whose time is over, by the clock of the database. One whose time cannot be read has not expired: it is corrupt. */
export const hasExpired: Document = { $and: [{ $eq: [{ $type: '$expiresAt' }, 'date'] }, { $lte: ['$expiresAt', '$$NOW'] }] };

/** True for a record that counts: it can be read, as far as the database can tell, and has not expired. */
export const isLive: Document = {
  $and: [{ $not: [hasExpired] }, hasVersion, { $eq: [{ $type: '$data' }, 'string'] }, hasDate('$createdAt'), hasDate('$expiresAt')],
};

/** The document's fields but for its id, of a session that was checked. */
export function fieldsOf({ version, data, createdAt, expiresAt }: StoredSession): Omit<SessionDocument, '_id'> {
  return { version, data: JSON.stringify(data), createdAt, expiresAt };
}

/** The session of a document, which others may read too; `undefined` where it cannot be read. */
export function sessionOf({ version, data, createdAt, expiresAt }: Omit<SessionDocument, '_id'>): StoredSession | undefined {
  const values = parsedObject(data);
  const isReadable = Number.isSafeInteger(version) && version >= 1 && isValidDate(createdAt) && isValidDate(expiresAt);
  if (!isReadable || values === undefined) return undefined;
  return { version, data: values, createdAt: new Date(createdAt), expiresAt: new Date(expiresAt) };
}
