import type { TokenId } from './token-id.js';

/**
 * How an identification ended. `ok` gives a user, everything else the anonymous one:
 *
 * - `missing`: nothing was presented
 * - `malformed`: something was, but it cannot be a credential (or it was there twice with different values)
 * - `unknown`: no such token or session
 * - `expired`, `revoked`: it was good once
 * - `inactive-user`: it is good, but its user was deleted or disabled
 */
export type AuthenticationOutcome = 'missing' | 'malformed' | 'unknown' | 'expired' | 'revoked' | 'inactive-user' | 'ok';

/** What identifying a channel found out, and why its user is anonymous if it is. Holds no secret. */
export interface Authentication {
  readonly outcome: AuthenticationOutcome;
  /** Which source decided: a token or an HTTP session; `undefined` where none was presented. */
  readonly source: 'token' | 'http-session' | undefined;
  /** Where the token travelled; `ticket` where a ticket came in its place. */
  readonly carrier?: 'cookie' | 'authorization' | 'subprotocol' | 'query' | 'ticket' | undefined;
  /** The id of the token that was presented, whether or not it was accepted. */
  readonly tokenId?: TokenId | undefined;
  /** When the accepted token expires; absent where it never does. */
  readonly expiresAt?: Date | undefined;
  /** The scopes of the accepted token. */
  readonly scopes?: readonly string[] | undefined;
}
