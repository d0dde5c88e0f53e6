import type { Filter } from 'mongodb';
import type { TokenDocument } from './token-document.js';
import { keysOf } from './user-key.js';

/** Those that were not revoked, whether they have expired or not. */
export const notRevoked: Filter<TokenDocument> = { userId: { $exists: true }, revokedAt: { $not: { $type: 'date' } } };

/** Those that are neither revoked nor expired at `now`. */
export function liveAt(now: Date): Filter<TokenDocument> {
  return { ...notRevoked, expiresAt: { $not: { $lte: now } }, graceEndsAt: { $not: { $lte: now } } };
}

/**
 * What is told of ids where none is named: another program may have tokens of its own in the collection, which are not ours to count or to
 * revoke.
 */
export const anyTokenId = { $regex: /^[0-9a-f]{64}$/ } as const;

/** The user's tokens, in whatever state. */
export function tokensOf(userId: string): Filter<TokenDocument> {
  return { _id: anyTokenId, userId: { $in: keysOf(userId) } };
}

/** The user's tokens that are neither revoked nor expired at `now`. */
export function liveTokensOf(userId: string, now: Date): Filter<TokenDocument> {
  return { ...liveAt(now), ...tokensOf(userId) };
}
