import { hash, randomBytes } from 'node:crypto';
import type { TokenId } from '../token-id.js';
import type { AnonymousUser, AuthenticatedUser } from '../users.js';
import type { SessionScope } from './session-settings.js';

/** The id of a record that belongs to one connection: random, and never told to anybody. */
export function randomSessionId(): string {
  return randomBytes(32).toString('hex');
}

/** The id of the record that belongs to a user, a token or an HTTP session: a digest, so a store's reader learns no credential. */
function derivedSessionId(owner: 'user' | 'token' | 'http-session', id: string): string {
  return hash('sha256', `ws-with:channel-session:${owner}:${id}`, 'hex');
}

/** Whose a shared session may be. */
export interface SessionOwner {
  readonly user: AuthenticatedUser | AnonymousUser;
  readonly tokenId: TokenId | undefined;
  readonly httpSessionId: string | undefined;
}

/** The id of the record that the channels of `owner` share in `scope`; `undefined` where each has one of its own, as anonymous ones do. */
export function sharedSessionId({ user, tokenId, httpSessionId }: SessionOwner, scope: SessionScope): string | undefined {
  if (scope === 'channel' || !user.isAuthenticated) return undefined;
  if (scope === 'user') return derivedSessionId('user', user.id);
  if (tokenId !== undefined) return derivedSessionId('token', tokenId);
  return httpSessionId === undefined ? undefined : derivedSessionId('http-session', httpSessionId);
}
