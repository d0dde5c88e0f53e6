import type { IncomingMessage } from 'node:http';
import type { Authentication, AuthenticationOutcome } from '../authentication.js';
import { anything, checkedOptions, type Rules } from '../checked-options.js';
import type { Clock } from '../contracts/clock.js';
import type { TokenGrant, TokenRepository } from '../contracts/token-repository.js';
import { TOKEN_REPOSITORY } from '../injection.js';
import { tokenIdOf } from '../token-id.js';
import type { AppUser, FoundUser, UserLike } from '../users.js';
import { checkedGrant, checkedUser } from './checked-grant.js';
import { type CredentialSource, checkedCredentialSources, cookie, findCredential } from './credentials.js';
import { tokenRecheck } from './recheck.js';
import { aRevalidation, copyOfRevalidation, type Revalidate } from './revalidation.js';
import { type BoundSource, type Finding, feedsOf, type HandshakeLookUps, type UserSource } from './user-source.js';

/** Options of `fromToken` and `withUserFromToken`. */
export interface TokenOptions<User extends UserLike = AppUser> {
  /** Where the token may travel: one place, or several of which the first that holds a key is used. @default cookie('key') */
  readonly from?: CredentialSource | readonly CredentialSource[] | undefined;
  /** Finds a token's user. @default what is registered as `TOKEN_REPOSITORY` */
  readonly tokens?: TokenRepository<User> | undefined;
  /** How often live channels are looked up again. @default the server's `revalidate` */
  readonly revalidate?: Revalidate | undefined;
}

/** The places are looked at by `checkedCredentialSources`, the repository by the server. */
const rules: Rules<TokenOptions<UserLike>> = { from: anything, tokens: anything, revalidate: aRevalidation };

/** How the grant of a token that was asked for ends. */
function outcomeOf(grant: TokenGrant<UserLike> | undefined, now: number): AuthenticationOutcome {
  if (grant === undefined) return 'unknown';
  if (grant.revokedAt != null && grant.revokedAt.getTime() <= now) return 'revoked';
  if (grant.expiresAt != null && grant.expiresAt.getTime() <= now) return 'expired';
  return grant.user == null ? 'inactive-user' : 'ok';
}

async function findUser(
  request: IncomingMessage,
  from: readonly CredentialSource[],
  tokens: TokenRepository<UserLike>,
  clock: Clock,
  { claim }: HandshakeLookUps,
): Promise<Finding> {
  const { presented, place } = findCredential(request, from);
  if (place === undefined) return { user: undefined, authentication: Object.freeze({ outcome: 'missing', source: undefined }) };
  const { carrier } = place;
  if (presented.kind !== 'key') {
    return { user: undefined, authentication: Object.freeze({ outcome: 'malformed', source: 'token', carrier }) };
  }
  const tokenId = tokenIdOf(presented.key);
  claim({ tokenId });
  const grant = checkedGrant(await tokens.findById(tokenId), 'tokens.findById');
  const outcome = outcomeOf(grant, clock.now());
  const authentication: Authentication = Object.freeze({
    outcome,
    source: 'token',
    carrier,
    tokenId,
    ...(outcome === 'ok' && grant?.expiresAt != null && { expiresAt: grant.expiresAt }),
    ...(outcome === 'ok' && grant?.scopes != null && { scopes: Object.freeze([...grant.scopes]) }),
  });
  return { user: outcome === 'ok' ? checkedUser(grant?.user, 'tokens.findById') : undefined, authentication };
}

/** Finds the user by a token. Of `withUserFrom`; `withUserFromToken` is `withUserFrom(fromToken(…))`. */
export function fromToken<User extends UserLike = AppUser>(options: TokenOptions<User> = {}): UserSource<FoundUser<User>> {
  return tokenSource('fromToken', options);
}

/** {@link fromToken}, with errors that name `owner`. */
export function tokenSource<User extends UserLike>(owner: string, options: TokenOptions<User> = {}): UserSource<FoundUser<User>> {
  const { from = cookie(), tokens, revalidate } = checkedOptions(owner, options, rules);
  const credentials = checkedCredentialSources(owner, from);
  const names = { wrapper: owner, option: 'tokens', token: 'TOKEN_REPOSITORY', method: 'findById' };
  return Object.freeze<UserSource<FoundUser<User>>>({
    source: 'token',
    credentials,
    bind(dependencies): BoundSource {
      const repository = dependencies.require<TokenRepository<UserLike>>(tokens, TOKEN_REPOSITORY, names);
      const asks = [repository, ...credentials.map(({ carrier, name }) => `${carrier} ${name}`)];
      return {
        source: 'token',
        asks,
        find: (request, lookUps) => findUser(request, credentials, repository, dependencies.clock, lookUps),
        recheck: tokenRecheck(repository),
        revalidate: copyOfRevalidation(revalidate),
        feeds: feedsOf(repository),
      };
    },
  });
}
