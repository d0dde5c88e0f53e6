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
  /** The name of the source that decided; `undefined` if nothing was presented. */
  readonly source: SourceName | undefined;
  /** Where the token travelled; `ticket` if a ticket came instead. */
  readonly carrier?: Carrier | undefined;
  /** The id of the token that was presented, whether or not it was accepted. */
  readonly tokenId?: TokenId | undefined;
  /** When the accepted credential or its source (`until`) ends; absent if never. */
  readonly expiresAt?: Date | undefined;
  /** Whether it would have been accepted, had its source not ended (`until`). The outcome is then `expired`. */
  readonly hasSourceEnded?: true | undefined;
  /** The scopes of the accepted token. */
  readonly scopes?: readonly string[] | undefined;
}

/** Of who presented nothing. */
export const nothingPresented: Authentication = Object.freeze({ outcome: 'missing', source: undefined });

/** What is told of an identification; a `null`, as applications and databases have it, is as good as nothing. */
type Told = Pick<Authentication, 'outcome' | 'source'> & { readonly [Name in keyof Authentication]?: Authentication[Name] | null };

/** A frozen {@link Authentication} without the members of which nothing is told. */
export function authenticationOf({ outcome, source, carrier, tokenId, expiresAt, hasSourceEnded, scopes }: Told): Authentication {
  return Object.freeze({
    outcome,
    source,
    ...(carrier != null && { carrier }),
    ...(tokenId != null && { tokenId }),
    ...(expiresAt != null && { expiresAt }),
    ...(hasSourceEnded != null && { hasSourceEnded }),
    ...(scopes != null && { scopes: Object.freeze([...scopes]) }),
  });
}
