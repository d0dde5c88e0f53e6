import type { Document } from 'mongodb';
import { isValidDate, isValidDateIfAny } from '../../src/checked-date.js';
import type { IssueOptions, RotateOptions, TokenGrant, TokenInfo } from '../../src/contracts/token-repository.js';
import { dayMs } from '../../src/time/time-spans.js';
import { isTokenId, type TokenId } from '../../src/token-id.js';
import type { AuthenticatedUser } from '../../src/users.js';
import type { UserKey } from './user-key.js';

/** A token as the collection holds it. The key is nowhere. */
export interface TokenDocument {
  /** The id: the SHA-256 of the key. */
  readonly _id: string;
  /** The user's key, of the type that it has in the user's document. */
  readonly userId: UserKey;
  readonly label?: string;
  readonly scopes?: readonly string[];
  readonly createdAt: Date;
  readonly expiresAt?: Date;
  readonly revokedAt?: Date;
  readonly lastUsedAt?: Date;
  /** The token's place among its user's, where their number is limited; it has none once it was revoked. */
  readonly slot?: number;
  /** Of a token that was rotated: the one that it was exchanged for, the last time. */
  readonly successorId?: string;
  /** When the key of one that was rotated ceases to work, if it does not before. */
  readonly graceEndsAt?: Date;
  /** The first of the tokens that were rotated into one another. */
  readonly chainId?: string;
  /** When that one was issued. */
  readonly chainStartedAt?: Date;
  /** From this moment on a token that was revoked or rotated may be removed. */
  readonly removeAt?: Date;
  /** The collection that the token was imported from. */
  readonly importedFrom?: string;
  /** Its `_id` there, unless that is the key. */
  readonly sourceId?: unknown;
}

/** How long a token that expired or was revoked can still be found, so that a client learns why it is refused. */
export const retentionMs: number = dayMs;

/**
 * An expression for `removeAt`: from `moment` on the token may be removed. `$$REMOVE` for one that was imported: were it removed, the next
 * import would bring it back to life.
 */
export function removableFrom(moment: Date): Document {
  return { $cond: [{ $eq: [{ $type: '$importedFrom' }, 'missing'] }, moment, '$$REMOVE'] };
}

/** The document of a new token, of options that were checked. */
export function newToken(id: TokenId, userId: UserKey, options: IssueOptions, now: number): TokenDocument {
  const { ttlMs, label, scopes } = options;
  return {
    _id: id,
    userId,
    ...(label !== undefined && { label }),
    ...(scopes !== undefined && { scopes: [...scopes] }),
    createdAt: new Date(now),
    ...(ttlMs !== undefined && { expiresAt: new Date(now + ttlMs) }),
  };
}

/**
 * The document of a token in place of `old`; `undefined` where its chain is too old. One of which nobody knows when it was issued counts
 * from now on.
 *
 * @throws {Error} when the old one cannot be read.
 */
export function successorOf(
  old: TokenDocument,
  id: TokenId,
  options: Omit<RotateOptions, 'graceMs'>,
  now: number,
): TokenDocument | undefined {
  checkReadable(old);
  const { userId, label, scopes, createdAt, expiresAt, chainId, chainStartedAt } = old;
  const startedAt = [chainStartedAt, createdAt].find(isValidDate) ?? new Date(now);
  const { ttlMs, maxAgeMs } = options;
  const latest = maxAgeMs === undefined ? Number.POSITIVE_INFINITY : startedAt.getTime() + maxAgeMs;
  if (latest <= now) return undefined;
  const end = Math.min(latest, (ttlMs === undefined ? expiresAt?.getTime() : now + ttlMs) ?? Number.POSITIVE_INFINITY);
  return {
    _id: id,
    userId,
    ...(label != null && { label }),
    ...(scopes != null && { scopes }),
    createdAt: new Date(now),
    ...(end !== Number.POSITIVE_INFINITY && { expiresAt: new Date(end) }),
    chainId: chainId ?? old._id,
    chainStartedAt: startedAt,
  };
}

/** When the token expires, if it does and can be read. */
export function endOf({ expiresAt, graceEndsAt }: Pick<TokenDocument, 'expiresAt' | 'graceEndsAt'>): Date | undefined {
  if (!isValidDate(graceEndsAt)) return isValidDate(expiresAt) ? expiresAt : undefined;
  return isValidDate(expiresAt) && expiresAt.getTime() < graceEndsAt.getTime() ? expiresAt : graceEndsAt;
}

/** Whether the key of a token was rotated and has been used after its grace, at `now`. */
export function isReplayed(document: TokenDocument, now: number): boolean {
  const { successorId, graceEndsAt, revokedAt } = document;
  return successorId != null && revokedAt == null && isValidDate(graceEndsAt) && graceEndsAt.getTime() <= now;
}

/** As far apart may the clocks of two processes be: what another one has revoked just now may lie in the future here. */
export const clockSkewMs = 60_000;

/**
 * What the repository says of a token at `now`.
 *
 * @throws {Error} when the document cannot be read: whether the token is good cannot be told then.
 */
export function grantOf<User extends AuthenticatedUser>(document: TokenDocument, user: User | undefined, now: number): TokenGrant<User> {
  checkReadable(document);
  const { _id, revokedAt, scopes, successorId } = document;
  const end = endOf(document);
  return {
    id: _id as TokenId,
    user,
    ...(end !== undefined && { expiresAt: end }),
    ...(revokedAt != null && { revokedAt: seenFrom(now, revokedAt) }),
    ...(scopes != null && { scopes }),
    ...(isTokenId(successorId) && { successorId }),
  };
}

/** @throws {Error} when it cannot be told whether the token of a document is good. */
export function checkReadable({ expiresAt, graceEndsAt, revokedAt, scopes }: TokenDocument): void {
  if ([expiresAt, graceEndsAt, revokedAt].every(isValidDateIfAny) && (scopes == null || isStrings(scopes))) return;
  throw new Error('A stored token cannot be read: expiresAt, graceEndsAt and revokedAt must be valid dates, and scopes strings.');
}

/** When a token was revoked: at `now` where the clock of whoever has just done it is ahead, or it would open channels until then. */
function seenFrom(now: number, revokedAt: Date): Date {
  const aheadMs = revokedAt.getTime() - now;
  return aheadMs > 0 && aheadMs <= clockSkewMs ? new Date(now) : revokedAt;
}

/** An invalid date stands for one that cannot be read: what has no end, and what was issued just now, would be something else. */
const unreadableDate = (): Date => new Date(Number.NaN);

/** What can be told of a live token. */
export function infoOf(document: TokenDocument): TokenInfo {
  const { _id, userId, label, scopes, createdAt, lastUsedAt } = document;
  const isEndReadable = [document.expiresAt, document.graceEndsAt].every(isValidDateIfAny);
  const expiresAt = isEndReadable ? endOf(document) : unreadableDate();
  return {
    id: _id as TokenId,
    userId: String(userId),
    ...(typeof label === 'string' && { label }),
    ...(scopes != null && { scopes: isStrings(scopes) ? scopes : [] }),
    createdAt: isValidDate(createdAt) ? createdAt : unreadableDate(),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(isValidDate(lastUsedAt) && { lastUsedAt }),
  };
}

function isStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
