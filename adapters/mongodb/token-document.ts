import type { IssueOptions, TokenGrant, TokenInfo } from '../../src/contracts/token-repository.js';
import type { TokenId } from '../../src/token-id.js';
import type { AuthenticatedUser } from '../../src/users.js';
import type { UserKey } from './users.js';

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
  /** From this moment on a revoked token may be removed. */
  readonly removeAt?: Date;
  /** The collection that the token was imported from. */
  readonly importedFrom?: string;
  /** Its `_id` there, unless that is the key. */
  readonly sourceId?: unknown;
}

/** How long a token that expired or was revoked can still be found, so that a client learns why it is refused. */
export const retentionMs: number = 24 * 60 * 60 * 1000;

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
 * What the repository says of a token.
 *
 * @throws {Error} when the document cannot be read: whether the token is good cannot be told then.
 */
export function grantOf<User extends AuthenticatedUser>(document: TokenDocument, user: User | undefined): TokenGrant<User> {
  const { _id, expiresAt, revokedAt, scopes } = document;
  if (!isDateIfAny(expiresAt) || !isDateIfAny(revokedAt) || !(scopes == null || isStrings(scopes))) {
    throw new Error('A stored token cannot be read: expiresAt and revokedAt must be dates, and scopes strings.');
  }
  return {
    id: _id as TokenId,
    user,
    ...(expiresAt != null && { expiresAt }),
    ...(revokedAt != null && { revokedAt }),
    ...(scopes != null && { scopes }),
  };
}

/** What can be told of a live token. */
export function infoOf({ _id, userId, label, scopes, createdAt, expiresAt, lastUsedAt }: TokenDocument): TokenInfo {
  return {
    id: _id as TokenId,
    userId: String(userId),
    ...(label != null && { label }),
    ...(scopes != null && { scopes }),
    createdAt,
    ...(expiresAt != null && { expiresAt }),
    ...(lastUsedAt != null && { lastUsedAt }),
  };
}

function isDateIfAny(value: unknown): boolean {
  return value == null || value instanceof Date;
}

function isStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
