import { anything, checkedOptions, type Rules } from '../checked-options.js';
import type { HttpSession, HttpSessionReader } from '../contracts/http-session-reader.js';
import type { UserRepository } from '../contracts/user-repository.js';
import type { Dependencies, DependencyNames } from '../dependencies.js';
import { HTTP_SESSION_READER, USER_REPOSITORY } from '../injection.js';
import type { HasHttpSession } from '../messages.js';
import type { AppUser, FoundUser, UserLike } from '../users.js';
import { checkedUser } from './checked-grant.js';
import { aMoment, endingAt, untilAsked } from './ending-source.js';
import { httpSessionRecheck, LastingOwner } from './recheck.js';
import { aRevalidation, copyOfRevalidation, type Revalidate } from './revalidation.js';
import { type BoundSource, type Finding, feedsOf, type HandshakeLookUps, type UserSource } from './user-source.js';

/** Options of `withHttpUser`. */
export interface HttpOptions<User extends UserLike = AppUser> {
  /** Reads the web site's sessions. @default what is registered as `HTTP_SESSION_READER` */
  readonly sessions?: HttpSessionReader | undefined;
  /** Finds the user of a session. @default what is registered as `USER_REPOSITORY` */
  readonly users?: UserRepository<User> | undefined;
}

/** Options of `fromHttpSession` and `withUserFromHttp`. */
export interface HttpSourceOptions<User extends UserLike = AppUser> extends HttpOptions<User> {
  /** How often live channels are looked up again. @default the server's `revalidate` */
  readonly revalidate?: Revalidate | undefined;
  /** When this source ends. Before that moment, its clients cause a warning; from then on its sessions count as expired. @default never */
  readonly until?: Date | undefined;
}

/** The reader of `sessions`, or the registered one. */
export function requireReader(owner: string, sessions: HttpSessionReader | undefined, dependencies: Dependencies): HttpSessionReader {
  const names: DependencyNames = { wrapper: owner, option: 'sessions', token: 'HTTP_SESSION_READER', method: 'read' };
  return dependencies.require(sessions, HTTP_SESSION_READER, names);
}

/** The repository `users`, or the registered one. */
export function requireUsers<User extends UserLike>(
  owner: string,
  users: UserRepository<User> | undefined,
  dependencies: Dependencies,
): UserRepository<UserLike> {
  const names: DependencyNames = { wrapper: owner, option: 'users', token: 'USER_REPOSITORY', method: 'findById' };
  return dependencies.require<UserRepository<UserLike>>(users, USER_REPOSITORY, names);
}

/**
 * What the options of the wrappers that read HTTP sessions must be; the server looks at their methods, and says where else to register
 * them.
 */
export const httpSessionRules = { sessions: anything };
const httpRules: Rules<HttpOptions> = { ...httpSessionRules, users: anything };
const httpSourceRules: Rules<HttpSourceOptions> = { ...httpRules, revalidate: aRevalidation, until: aMoment };

/** A checked copy of the options of `withHttpUser`. */
export function checkedHttpOptions<User extends UserLike>(owner: string, given?: HttpOptions<User>): HttpOptions<User> {
  return checkedOptions(owner, given, httpRules);
}

/** Who an HTTP session belongs to, as a finding. */
async function findingOf(session: HttpSession | undefined, users: UserRepository<UserLike>, lookUps: HandshakeLookUps): Promise<Finding> {
  if (session?.userId == null) {
    const source = session === undefined ? undefined : 'http-session';
    return { user: undefined, authentication: Object.freeze({ outcome: 'missing', source }) };
  }
  lookUps.claim({ httpSessionId: session.id, userId: session.userId });
  const user = await users.findById(session.userId);
  if (user === undefined || user === null) {
    return { user: undefined, authentication: Object.freeze({ outcome: 'inactive-user', source: 'http-session' }) };
  }
  const { id, userId } = session; // by which the session says whose it is: users may have another id
  return {
    user: checkedUser(user, 'users.findById'),
    authentication: Object.freeze({ outcome: 'ok', source: 'http-session' }),
    credentialId: id === undefined ? `user ${userId}` : undefined,
    found: id === undefined ? new LastingOwner(userId) : userId,
  };
}

/**
 * A source for `withUserFrom`: finds the user by the HTTP session. `withUserFromHttp` is `withUserFrom(fromHttpSession(…))`.
 *
 * @throws {TypeError} when an option is not what it must be.
 */
export function fromHttpSession<User extends UserLike = AppUser>(
  options: HttpSourceOptions<User> = {},
): UserSource<FoundUser<User>, HasHttpSession> {
  return httpSessionSource('fromHttpSession', options);
}

/** {@link fromHttpSession}, with errors that name `owner`. */
export function httpSessionSource<User extends UserLike>(
  owner: string,
  given: HttpSourceOptions<User> = {},
): UserSource<FoundUser<User>, HasHttpSession> {
  const options = checkedOptions(owner, given, httpSourceRules);
  return Object.freeze<UserSource<FoundUser<User>, HasHttpSession>>({
    source: 'http-session',
    credentials: [],
    bind(dependencies): BoundSource {
      const reader = requireReader(owner, options.sessions, dependencies);
      const users = requireUsers(owner, options.users, dependencies);
      const bound: BoundSource = {
        source: 'http-session',
        madeBy: 'fromHttpSession()',
        asks: [reader, users, ...untilAsked(options.until)],
        reader,
        recheck: httpSessionRecheck(reader, users),
        revalidate: copyOfRevalidation(options.revalidate),
        feeds: feedsOf(reader, users),
        find: async (_request, lookUps) => findingOf(await lookUps.httpSession(reader), users, lookUps),
      };
      return endingAt(options.until, bound, dependencies.clock);
    },
  });
}
