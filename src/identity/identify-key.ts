import { type Authentication, authenticationOf, nothingPresented } from '../authentication.js';
import { anything, checkedOptions, type Rules } from '../checked-options.js';
import type { TokenRepository } from '../contracts/token-repository.js';
import { Dependencies } from '../dependencies.js';
import { ignorePromise, nothing } from '../maybe-promise.js';
import { systemClock } from '../time/system-clock.js';
import { type AppUser, type AuthenticatedUser, anonymousUser, type FoundUser, type UserLike } from '../users.js';
import { boundedLookUp, type LookUpSignal } from './bounded-look-up.js';
import { checkedSources } from './checked-sources.js';
import { tokenSource } from './from-token.js';
import type { Identified } from './identify-request.js';
import { defaultLookUpTimeoutMs, type LookUpOptions, lookUpRules } from './identify-user.js';
import type { AnySource, Finding, UserSource } from './user-source.js';

/** Options of `identifyKey`. */
export interface IdentifyKeyOptions<User extends UserLike = AppUser> extends LookUpOptions {
  /** Finds a token's user. @default what is registered as `TOKEN_REPOSITORY` */
  readonly tokens?: TokenRepository<User> | undefined;
}

/** Options of `identifyKey` for keys of a source. */
export interface IdentifyKeyBySourceOptions<User extends AuthenticatedUser = AppUser> extends LookUpOptions {
  /** Whose keys they are: `fromToken(…)`, `fromJwt(…)`, or a `defineSource(…)` with `findByKey`. */
  readonly source: UserSource<User, object>;
}

const rules: Rules<IdentifyKeyOptions & IdentifyKeyBySourceOptions> = {
  tokens: anything, // the source looks at it
  source: anything, // checkedSources looks at it
  ...lookUpRules,
};

/**
 * Finds the user of a `key` that is not in a handshake: in graphql-ws's `connectionParams`, or in a first message. The outcomes are those
 * of a handshake. `undefined`, `null` and an empty string are `missing`. Anything else that cannot be a key is `malformed`, and no
 * repository is asked.
 *
 * @throws {TypeError} when an option is not what it must be, or the source has no keys.
 * @throws {ChannelError} `ERR_LOOKUP_FAILED` or `ERR_LOOKUP_TIMEOUT` when nobody can tell who it is; `ERR_DEPENDENCY_MISSING`.
 */
export function identifyKey<User extends UserLike = AppUser>(
  key: unknown,
  options?: IdentifyKeyOptions<User>,
): Promise<Identified<FoundUser<User>>>;
export function identifyKey<User extends AuthenticatedUser>(
  key: unknown,
  options: IdentifyKeyBySourceOptions<User>,
): Promise<Identified<User>>;
export async function identifyKey(
  key: unknown,
  options: IdentifyKeyOptions & Partial<IdentifyKeyBySourceOptions> = {},
): Promise<Identified> {
  const owner = 'identifyKey';
  const { tokens, source, container, timeoutMs: ms = defaultLookUpTimeoutMs } = checkedOptions(owner, options, rules);
  if (tokens !== undefined && source !== undefined) throw new TypeError(`${owner}: give it tokens or source, not both`);
  const [asked] = source === undefined ? [tokenSource(owner, { tokens })] : checkedSources(owner, [source]);
  const { keys, source: name, madeBy } = (asked as AnySource).bind(new Dependencies(container, ms, systemClock));
  if (keys === undefined) throw new TypeError(`${owner}: source must be one of keys, got ${madeBy}, which finds none`);
  if (key === undefined || key === null || key === '') return nobody(nothingPresented);
  if (typeof key !== 'string' || !keys.accepts(key)) {
    ignorePromise(key);
    return nobody(authenticationOf({ outcome: 'malformed', source: name }));
  }
  const find = (aborting: LookUpSignal): Promise<Finding> => keys.find(key, { claim: nothing, aborting });
  const { user, authentication } = await boundedLookUp('Looking up the user of a key', find, { clock: systemClock, ms });
  return { user: user ?? anonymousUser, authentication };
}

function nobody(authentication: Authentication): Identified {
  return { user: anonymousUser, authentication };
}
