import { decodeJwt } from 'jose';
import { kindOf } from '../../src/kind-of.js';
import { digestOf, type TokenId } from '../../src/token-id.js';

/** What names a token: its claims `iss` and `jti`. */
export interface JwtName {
  readonly iss?: string | undefined;
  readonly jti?: string | undefined;
}

/**
 * The id of a JSON Web Token, for `disconnectToken`, `ofToken` and revocations: a digest of its claims `iss` and `jti`. The id of a token
 * without `jti` is a digest of the token without its signature, since that can be written in more than one way.
 *
 * @param token the whole token, which is not verified, or its claims.
 * @throws {TypeError} when it is neither, or when claims have no `iss` and `jti`. The message does not hold the token.
 */
export function jwtTokenId(token: string | JwtName): TokenId {
  const name: JwtName | undefined = typeof token === 'string' ? claimsOf(token) : token;
  if (typeof name === 'object' && name !== null) {
    const { iss, jti } = name;
    if (typeof iss === 'string' && typeof jti === 'string') return digestOf(JSON.stringify([iss, jti]));
    if (typeof token === 'string') return digestOf(token.slice(0, token.lastIndexOf('.')));
  }
  throw new TypeError(`jwtTokenId: token must be a JSON Web Token, or claims with iss and jti, got ${kindOf(token)} that is not`);
}

function claimsOf(token: string): JwtName | undefined {
  try {
    return decodeJwt(token);
  } catch {
    return undefined;
  }
}
