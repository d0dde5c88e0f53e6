import type { ChangeStreamDocument, Document } from 'mongodb';
import type { Revocation } from '../../src/contracts/revocation-feed.js';
import { receivedRevocation } from '../../src/feeds/checked-revocation.js';
import { isTokenId, type TokenId } from '../../src/token-id.js';
import { clockSkewMs } from './token-document.js';
import { userIdOf } from './user-key.js';

/** The collections of one database whose changes end something. */
export interface WatchedCollections {
  readonly tokens: string;
  readonly users: string;
  /** The field by which users are known. */
  readonly userKey: string;
  /** Fields of users that mean nothing to channels. */
  readonly ignoredUserFields: readonly string[];
  readonly httpSessions: string | undefined;
  /** Where revocations are written that no row tells of. */
  readonly published: string;
}

/** A published revocation as it is written down. */
export interface PublishedRevocation {
  readonly tokenId?: string;
  readonly userId?: string;
  readonly httpSessionId?: string;
  readonly issuedBefore?: Date | undefined;
  readonly hint?: true | undefined;
  readonly at: Date;
}

/** Said where a change does not tell what ended: everything must be looked up again. */
export const gap: unique symbol = Symbol('gap');

/** The fields of a token whose change may end or lengthen it; `lastUsedAt`, which each log-in changes, is none of them. */
const tokenFields = ['revokedAt', 'expiresAt', 'successorId', 'userId', 'scopes'];

/**
 * The stages that let through what may have ended something and nothing else: it is the server that filters, or each log-in would wake
 * every process. Of each change only what {@link revocationOf} reads is sent.
 */
export function stagesFor(watched: WatchedCollections): Document[] {
  const { tokens, users, userKey, httpSessions, published } = watched;
  const collections = [tokens, users, published, ...(httpSessions === undefined ? [] : [httpSessions])];
  return [
    {
      $match: {
        $or: [
          { 'ns.coll': tokens, operationType: { $in: ['delete', 'replace'] } },
          { 'ns.coll': tokens, operationType: 'update', ...changesOneOf(tokenFields) },
          { 'ns.coll': users, operationType: { $in: ['delete', 'replace'] } },
          { 'ns.coll': users, operationType: 'update', ...changesMoreThan(watched.ignoredUserFields) },
          ...(httpSessions === undefined ? [] : [{ 'ns.coll': httpSessions, operationType: 'delete' }]),
          { 'ns.coll': published, operationType: 'insert' },
          { 'ns.coll': { $in: collections }, operationType: { $in: ['drop', 'rename'] } },
          { 'to.coll': { $in: collections }, operationType: 'rename' },
          { operationType: { $in: ['dropDatabase', 'invalidate'] } },
        ],
      },
    },
    {
      $project: {
        operationType: 1,
        ns: 1,
        documentKey: 1,
        clusterTime: 1,
        'updateDescription.updatedFields.revokedAt': 1,
        [`updateDescription.updatedFields.${userKey}`]: 1,
        'fullDocument.revokedAt': 1,
        ...Object.fromEntries(['tokenId', 'userId', 'httpSessionId', 'issuedBefore', 'hint'].map((field) => [`fullDocument.${field}`, 1])),
        [`fullDocument.${userKey}`]: 1,
        [`fullDocumentBeforeChange.${userKey}`]: 1,
      },
    },
  ];
}

/**
 * What a change ended, {@link gap} where it does not tell, `undefined` where it ended nothing.
 *
 * @throws {TypeError} when it was written down as a revocation, and is none.
 */
export function revocationOf(change: ChangeStreamDocument, watched: WatchedCollections, now: number): Revocation | typeof gap | undefined {
  switch (change.operationType) {
    case 'insert':
      return asOfThen(
        receivedRevocation('a published revocation', { ...change.fullDocument, userId: userIdOf(change.fullDocument.userId) }),
        change,
        now,
      );
    case 'update':
    case 'replace':
    case 'delete':
      return ofRow(change, watched, now);
    default:
      return gap; // a collection or the database was dropped or renamed
  }
}

/**
 * A user may have logged in again since: what comes late, as after an outage, ends the channels of before it, and the others are looked up
 * again.
 */
function asOfThen(revocation: Revocation, { clusterTime }: ChangeStreamDocument, now: number): Revocation {
  if (clusterTime === undefined || !('userId' in revocation) || revocation.hint || revocation.issuedBefore !== undefined) return revocation;
  const latest = clusterTime.getHighBitsUnsigned() * 1_000 + clockSkewMs;
  return latest < now ? { ...revocation, issuedBefore: new Date(latest) } : revocation;
}

type RowChange = Extract<ChangeStreamDocument, { readonly operationType: 'update' | 'replace' | 'delete' }>;

function ofRow(change: RowChange, { tokens, users, userKey }: WatchedCollections, now: number): Revocation | typeof gap | undefined {
  const id = String(change.documentKey._id);
  if (change.ns.coll === tokens) return isTokenId(id) ? ofToken(change, id, now) : undefined; // of another program, which has tokens too
  if (change.ns.coll !== users) return { httpSessionId: id };
  const userId = userKey === '_id' ? id : keyIn(change, userKey);
  // what became of a user is for the repository to say: a change may mean nothing, and two users' keys may have one string
  return userId === undefined ? gap : { userId, hint: true };
}

function ofToken(change: RowChange, tokenId: TokenId, now: number): Revocation {
  if (change.operationType === 'delete') return { tokenId };
  const { revokedAt } = (change.operationType === 'update' ? change.updateDescription.updatedFields : change.fullDocument) ?? {};
  return revokedAt instanceof Date && revokedAt.getTime() <= now + clockSkewMs ? { tokenId } : { tokenId, hint: true };
}

/**
 * The user's key in the document as it is, or as it was; a deleted one tells of neither unless the collection keeps pre-images, and one
 * that got another key tells of one only.
 */
function keyIn(change: RowChange, key: string): string | undefined {
  if (change.operationType === 'update' && change.updateDescription.updatedFields?.[key] !== undefined) return undefined;
  const after: Document | undefined = change.operationType === 'delete' ? undefined : change.fullDocument;
  const value: unknown = after?.[key] ?? (change.fullDocumentBeforeChange as Document | undefined)?.[key];
  return value === undefined || value === null ? undefined : String(value);
}

/** The fields that an update touched, as paths (`scopes.0`): set, removed, or cut where they are arrays. */
const touched: Document = {
  $concatArrays: [
    { $map: { input: { $objectToArray: { $ifNull: ['$updateDescription.updatedFields', {}] } }, in: '$$this.k' } },
    { $ifNull: ['$updateDescription.removedFields', []] },
    { $map: { input: { $ifNull: ['$updateDescription.truncatedArrays', []] }, in: '$$this.field' } },
  ],
};

/** Whether the path `$$this` is one of `fields`, or within one. */
function isWithin(fields: readonly string[]): Document {
  return {
    $or: fields.flatMap((field) => [
      { $eq: ['$$this', literal(field)] },
      { $eq: [{ $indexOfBytes: ['$$this', literal(`${field}.`)] }, 0] },
    ]),
  };
}

/** A name as itself, were it one that begins with `$`. */
function literal(name: string): Document {
  return { $literal: name };
}

/** Holds for updates of at least one of these fields. */
function changesOneOf(fields: readonly string[]): Document {
  return { $expr: { $anyElementTrue: { $map: { input: touched, in: isWithin(fields) } } } };
}

/** Holds for updates of more than these fields. */
function changesMoreThan(ignored: readonly string[]): Document {
  if (ignored.length === 0) return {};
  return { $expr: { $anyElementTrue: { $map: { input: touched, in: { $not: isWithin(ignored) } } } } };
}
