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

/** The name of a source of users: `token`, `http-session`, `jwt`, or that of one made by `defineSource`. */
export type SourceName = 'token' | 'http-session' | 'jwt' | (string & Record<never, never>);

/** Where a credential travelled. Sources and places of an application's own may name others. */
export type Carrier = 'cookie' | 'authorization' | 'subprotocol' | 'query' | 'ticket' | (string & Record<never, never>);

/** What identifying a channel found out, and why its user is anonymous if it is. Holds no secret. */
export interface Authentication {
  readonly outcome: AuthenticationOutcome;
  /** Which source decided, by its name; `undefined` where nothing was presented. */
  readonly source: SourceName | undefined;
  /** Where the token travelled; `ticket` where a ticket came in its place. */
  readonly carrier?: Carrier | undefined;
  /** The id of the token that was presented, whether or not it was accepted. */
  readonly tokenId?: TokenId | undefined;
  /** When what was accepted ends: it expires, or its source does (`until`); absent where never. */
  readonly expiresAt?: Date | undefined;
  /** Whether it would have been accepted, had its source not ended (`until`): the outcome is `expired` then. */
  readonly hasSourceEnded?: true | undefined;
  /** The scopes of the accepted token. */
  readonly scopes?: readonly string[] | undefined;
}
