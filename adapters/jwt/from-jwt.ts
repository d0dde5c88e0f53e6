import type { Carrier } from '../../src/authentication.js';
import { checkedCredentialSources, cookie, findCredential } from '../../src/identity/credentials.js';
import { ownSource, type SourceContext, type SourceFinding } from '../../src/identity/own-source.js';
import type { KeyLookUps, UserSource } from '../../src/identity/user-source.js';
import { kindOf } from '../../src/kind-of.js';
import { latestTime } from '../../src/time/time-spans.js';
import type { AuthenticatedUser, FoundUser, UserLike } from '../../src/users.js';
import { checkedJwtOptions } from './checked-jwt-options.js';
import { checkedKeys } from './checked-keys.js';
import type { JwtClaims, JwtOptions } from './jwt-options.js';
import { jwtTokenId } from './jwt-token-id.js';
import { isJwt, type JwtDemands, verifyJwt } from './verify-jwt.js';

/** What was found of a token, and what it takes to ask for it again. */
interface JwtFinding<User extends UserLike> extends SourceFinding<User> {
  readonly claims?: JwtClaims;
}

/** The moment that a claim speaks of, plus `ms`. */
function momentOf(seconds: number | undefined, ms = 0): Date | undefined {
  return seconds === undefined ? undefined : new Date(Math.max(-latestTime, Math.min(latestTime, seconds * 1_000 + ms)));
}

/** The values of a claim `scope` (RFC 8693, section 4.2). */
function scopesOf({ scope }: JwtClaims): readonly string[] | undefined {
  return typeof scope === 'string' ? scope.split(' ').filter((one) => one !== '') : undefined;
}

/**
 * A source for `withUserFrom`: finds the user by a JSON Web Token. It verifies signature, issuer, audience and times.
 *
 * The channel ends at `exp`. If the keys cannot be fetched, nobody can tell (503). A token that names an unknown key is `unknown`.
 *
 * @throws {TypeError} when an option is missing or not what it must be, or the algorithms are not those of the key.
 */
export function fromJwt<User extends UserLike = AuthenticatedUser>(
  options: JwtOptions<User> & { readonly user: NonNullable<JwtOptions<User>['user']> },
): UserSource<FoundUser<User>>;
export function fromJwt(options: JwtOptions): UserSource<AuthenticatedUser>;
export function fromJwt<User extends UserLike>(given: JwtOptions<User>): UserSource<FoundUser<User>> {
  const options = checkedJwtOptions(given);
  const { algorithms, issuer, audience, clockToleranceMs = 0, requireExpiry = true, typ, name = 'jwt' } = options;
  const places = checkedCredentialSources('fromJwt', options.from ?? cookie());
  if (places.some(({ presents }) => presents === 'ticket')) throw new TypeError('fromJwt: from must be places of tokens, got ticket()');
  const issuers = [issuer].flat() as string[];
  const demands: JwtDemands = {
    findKeys: checkedKeys(options),
    algorithms,
    issuers,
    verify: {
      algorithms: [...algorithms],
      issuer: issuers,
      audience: [audience].flat() as string[],
      clockTolerance: clockToleranceMs / 1_000,
      requiredClaims: requireExpiry ? ['exp'] : [],
      ...(typ !== undefined && { typ }),
    },
  };
  const jwt = new JwtLookUp(options, demands, clockToleranceMs);
  const { secret, key, jwks, jwksUrl, user, isRevoked } = options;
  return ownSource<JwtFinding<User>>({
    name,
    madeBy: 'fromJwt()',
    credentials: places,
    asks: [
      ...[name, secret, key, jwks, user, isRevoked, requireExpiry, clockToleranceMs, typ],
      ...[algorithms, issuer, audience, jwksUrl].map(String),
      ...places.map(({ carrier, name: place }) => `${carrier} ${place}`),
    ],
    revalidate: options.revalidate,
    until: options.until,
    find: async (request, context, lookUps) => {
      const { presented, place } = findCredential(request, places, isJwt);
      if (place === undefined) return { outcome: 'missing' };
      if (presented.kind !== 'key') return { outcome: 'malformed', carrier: place.carrier };
      return jwt.find(presented.key, place.carrier, context, lookUps);
    },
    keys: { accepts: isJwt, find: (token, context, lookUps) => jwt.find(token, undefined, context, lookUps) },
    ...((user !== undefined || isRevoked !== undefined) && {
      recheck: { one: ({ claims }, context) => jwt.standingOf(claims as JwtClaims, context), many: undefined },
    }),
  });
}

class JwtLookUp<User extends UserLike> {
  readonly #options: JwtOptions<User>;
  readonly #demands: JwtDemands;
  readonly #toleranceMs: number;

  constructor(options: JwtOptions<User>, demands: JwtDemands, toleranceMs: number) {
    this.#options = options;
    this.#demands = demands;
    this.#toleranceMs = toleranceMs;
  }

  async find(token: string, carrier: Carrier | undefined, context: SourceContext, lookUps: KeyLookUps): Promise<JwtFinding<User>> {
    const verified = await verifyJwt(token, this.#demands, context.clock);
    if (!('claims' in verified)) return { ...verified, carrier };
    const { claims } = verified;
    if (this.#options.user === undefined && claims.sub === undefined) return { outcome: 'malformed', carrier };
    const tokenId = jwtTokenId(token);
    lookUps.claim({ tokenId });
    return {
      ...(await this.standingOf(claims, context)),
      carrier,
      tokenId,
      issuedAt: momentOf(claims.iat),
      expiresAt: momentOf(claims.exp, this.#toleranceMs),
      scopes: scopesOf(claims),
      claims,
    };
  }

  /** Whether a good token counts, and whose it is. */
  async standingOf(claims: JwtClaims, context: SourceContext): Promise<SourceFinding<User>> {
    const { isRevoked, user: find } = this.#options;
    if (isRevoked !== undefined) {
      const revoked: unknown = await isRevoked(claims, context);
      if (typeof revoked !== 'boolean') throw new TypeError(`fromJwt: isRevoked must return true or false, got ${kindOf(revoked)}`);
      if (revoked) return { outcome: 'revoked' };
    }
    const user = find === undefined ? ownerOf<User>(claims) : await find(claims, context);
    return user === undefined || user === null ? { outcome: 'inactive-user' } : { outcome: 'ok', user };
  }
}

/** Whom the token names, where the application says no more of its users. */
function ownerOf<User extends UserLike>({ sub = '' }: JwtClaims): User {
  return Object.freeze({ id: sub, isAuthenticated: true }) as UserLike as User; // `User` is a plain AuthenticatedUser then
}
