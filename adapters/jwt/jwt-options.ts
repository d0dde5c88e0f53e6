import type { KeyObject, webcrypto } from 'node:crypto';
import type { JSONWebKeySet, JWK } from 'jose';
import type { CredentialSource } from '../../src/identity/credentials.js';
import type { Awaitable, SourceContext } from '../../src/identity/own-source.js';
import type { Revalidate } from '../../src/identity/revalidation.js';
import type { AuthenticatedUser, UserLike } from '../../src/users.js';

/** The claims of a token whose signature, issuer, audience and times were found good. Times are seconds since the epoch. */
export interface JwtClaims {
  /** Who issued it: one of the option `issuer`. */
  readonly iss: string;
  /** For whom: one of the option `audience` is among them. */
  readonly aud: string | readonly string[];
  /** Whom it speaks of. */
  readonly sub?: string;
  /** When it ends. */
  readonly exp?: number;
  /** From when on it counts. */
  readonly nbf?: number;
  /** When it was issued. */
  readonly iat?: number;
  /** Its name, unique to its issuer. */
  readonly jti?: string;
  /** The space-separated scopes of RFC 8693 and RFC 9068: `message.authentication.scopes`. */
  readonly scope?: unknown;
  readonly [claim: string]: unknown;
}

/** How tokens may be signed (RFC 7518, RFC 8037, RFC 9864). */
export type JwtAlgorithm =
  | 'HS256'
  | 'HS384'
  | 'HS512'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA'
  | 'Ed25519';

/** Options of `fromJwt`. Exactly one of `secret`, `key`, `jwks` and `jwksUrl` is demanded. */
export interface JwtOptions<User extends UserLike = AuthenticatedUser> {
  /** The signatures that are accepted; all must be of the key's kind. */
  readonly algorithms: readonly JwtAlgorithm[];
  /** Who may have issued tokens: the claim `iss` is one of them. */
  readonly issuer: string | readonly string[];
  /** For whom tokens must be: one of them is in the claim `aud`. */
  readonly audience: string | readonly string[];
  /**
   * The secret of HMAC signatures, at least as long as the digest: 32 bytes for HS256, 48 for HS384, 64 for HS512. A string (which counts
   * as UTF-8), bytes, or a key of `createSecretKey` of `node:crypto`.
   */
  readonly secret?: string | Uint8Array | KeyObject | undefined;
  /** The public key of all other signatures: PEM as a string or as bytes, a JWK, or a key of `node:crypto` or Web Crypto. */
  readonly key?: string | Uint8Array | JWK | KeyObject | webcrypto.CryptoKey | undefined;
  /** Several public keys, of which a token names one by its `kid`. */
  readonly jwks?: JSONWebKeySet | undefined;
  /** Where the issuer publishes its public keys: `http` or `https`. Redirects are not followed. */
  readonly jwksUrl?: string | URL | undefined;
  /**
   * How long keys of `jwksUrl` count after they were read, in milliseconds, from 1,000; after half of it they are read again.
   *
   * @default 600,000
   */
  readonly jwksMaxAgeMs?: number | undefined;
  /** How long after one reading of `jwksUrl` an unknown key can cause another, in milliseconds, from 1,000. @default 30,000 */
  readonly jwksCooldownMs?: number | undefined;
  /** How long a reading of `jwksUrl` may take, in milliseconds, an integer from 1. @default 3,000 */
  readonly jwksTimeoutMs?: number | undefined;
  /** Where the token may travel: one place, or several. Of several, the first that holds a token counts. @default cookie('key') */
  readonly from?: CredentialSource | readonly CredentialSource[] | undefined;
  /** The user of a token; `undefined` if the user was deleted or disabled. @default `{ id: claims.sub, isAuthenticated: true }` */
  readonly user?: ((claims: JwtClaims, context: SourceContext) => Awaitable<User | undefined>) | undefined;
  /** Whether a token was revoked. @default none was */
  readonly isRevoked?: ((claims: JwtClaims, context: SourceContext) => Awaitable<boolean>) | undefined;
  /** How far the issuer's clock and the server's may be apart, in milliseconds, 0 to 3,600,000. @default 0 */
  readonly clockToleranceMs?: number | undefined;
  /** Whether tokens without `exp` are refused. They would count for ever. @default true */
  readonly requireExpiry?: boolean | undefined;
  /** The type that the token's header must have, e.g. `'at+jwt'` of RFC 9068. @default any */
  readonly typ?: string | undefined;
  /** What `message.authentication.source` says, to tell several issuers apart. @default 'jwt' */
  readonly name?: string | undefined;
  /** How often live channels are looked up again, by `user` and `isRevoked`. @default the server's `revalidate` */
  readonly revalidate?: Revalidate | undefined;
  /** When this source ends. Before that moment, its clients cause a warning; from then on its tokens count as expired. @default never */
  readonly until?: Date | undefined;
}
