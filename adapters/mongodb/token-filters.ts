import type { Filter } from 'mongodb';
import type { TokenDocument } from './token-document.js';
import { keysOf } from './users.js';

/** The user's tokens that are neither revoked nor expired at `now`. */
export function liveTokensOf(userId: string, now: Date): Filter<TokenDocument> {
  return {
    userId: { $in: keysOf(userId) },
    revokedAt: { $exists: false },
    $or: [{ expiresAt: { $exists: false } }, { expiresAt: { $gt: now } }],
  };
}
