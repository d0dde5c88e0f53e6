import type { Filter } from 'mongodb';
import type { TokenDocument } from './token-document.js';
import { keysOf } from './user-key.js';

/** Those that were not revoked, whether they have expired or not. */
export const notRevoked: Filter<TokenDocument> = { userId: { $exists: true }, revokedAt: { $not: { $type: 'date' } } };

/** Those that are neither revoked nor expired at `now`. */
export function liveAt(now: Date): Filter<TokenDocument> {
  return { ...notRevoked, expiresAt: { $not: { $lte: now } }, graceEndsAt: { $not: { $lte: now } } };
}

/** The user's tokens that are neither revoked nor expired at `now`. */
export function liveTokensOf(userId: string, now: Date): Filter<TokenDocument> {
  return { ...liveAt(now), userId: { $in: keysOf(userId) } };
}
