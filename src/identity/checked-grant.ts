import type { AuthenticationOutcome } from '../authentication.js';
import { isValidDateIfAny } from '../checked-date.js';
import type { Clock } from '../contracts/clock.js';
import type { TokenGrant } from '../contracts/token-repository.js';
import { kindOf } from '../kind-of.js';
import { isTokenId } from '../token-id.js';
import type { AuthenticatedUser, UserLike } from '../users.js';

/**
 * `grant` itself, if it is one, or `undefined` where there is none: what says nothing clear about a token must neither authenticate nor
 * make its user anonymous.
 *
 * @throws {TypeError} naming the method that returned it and what is wrong with it.
 */
export function checkedGrant(grant: unknown, method: string): TokenGrant<UserLike> | undefined {
  if (grant === undefined || grant === null) return undefined;
  if (typeof grant !== 'object' || Array.isArray(grant)) {
    throw new TypeError(`${method} returned ${Array.isArray(grant) ? 'a list' : typeof grant} where a grant is { id, user }`);
  }
  const { id, user, expiresAt, revokedAt, scopes, successorId } = grant as Partial<TokenGrant<UserLike>>;
  if (user === undefined && !('user' in grant) && !isTokenId(id)) {
    const kind = kindOf(grant);
    const got = kind === 'object' ? 'an object without user, which may be the user itself,' : kind;
    throw new TypeError(`${method} returned ${got} where a grant is { id, user }`);
  }
  const isEndless = expiresAt == null && revokedAt == null; // as most are
  if (!isEndless && !(isValidDateIfAny(expiresAt) && isValidDateIfAny(revokedAt))) {
    throw new TypeError(`${method} returned a grant whose expiresAt or revokedAt is no valid Date`);
  }
  if (scopes != null && !Array.isArray(scopes)) throw new TypeError(`${method} returned a grant whose scopes are no list`);
  if (successorId != null && !isTokenId(successorId))
    throw new TypeError(`${method} returned a grant whose successorId is no id of a token`);
  return grant as TokenGrant<UserLike>;
}

/** How a credential that was asked for stands now, by the wall clock, which most need not be asked for. */
export function outcomeOf(
  standing: Pick<TokenGrant<UserLike>, 'user' | 'expiresAt' | 'revokedAt'> | undefined,
  clock: Pick<Clock, 'now'>,
): AuthenticationOutcome {
  if (standing === undefined) return 'unknown';
  if (standing.revokedAt != null && standing.revokedAt.getTime() <= clock.now()) return 'revoked';
  if (standing.expiresAt != null && standing.expiresAt.getTime() <= clock.now()) return 'expired';
  return standing.user == null ? 'inactive-user' : 'ok';
}

/**
 * `user` itself, if it is one: a repository that returns anything else must not authenticate anybody.
 *
 * @throws {TypeError} naming the method that returned it and what it lacks.
 */
export function checkedUser(user: unknown, method: string): AuthenticatedUser {
  const fault = faultOf(user as Partial<AuthenticatedUser> | null | undefined);
  if (fault === undefined) return user as AuthenticatedUser;
  throw new TypeError(`${method} returned ${fault}; an AuthenticatedUser has { id: string, isAuthenticated: true }`);
}

/** What is wrong with a user. */
function faultOf(user: Partial<AuthenticatedUser> | null | undefined): string | undefined {
  if (typeof user?.id !== 'string' || user.id === '') {
    return kindOf(user) === 'a promise' ? 'a promise for a user, which it must await' : 'a user whose id is not a string, or is empty';
  }
  return user.isAuthenticated === true ? undefined : 'a user without isAuthenticated: true';
}
