import type { ChannelMessage } from '../src/channel/channel-message.js';
import { connectingOf, defineBuiltIn } from '../src/channel/define-built-in.js';
import { hasOwnUserOf, putOwnUser } from '../src/channel/own-user.js';
import type { HttpSessionRequirement } from '../src/channel/requirement-kinds.js';
import type { UserRepository } from '../src/contracts/user-repository.js';
import type { Dependencies } from '../src/dependencies.js';
import { boundedLookUp, lookUpFailed } from '../src/identity/bounded-look-up.js';
import { checkedUser } from '../src/identity/checked-grant.js';
import { checkedHttpOptions, type HttpOptions, httpSessionSource, requireReader, requireUsers } from '../src/identity/from-http-session.js';
import type { UserSource } from '../src/identity/user-source.js';
import type { HasHttpSession } from '../src/messages.js';
import {
  type AnonymousUser,
  type AppUser,
  type AuthenticatedUser,
  anonymousUser,
  type FoundUser,
  type HasUser,
  type UserLike,
} from '../src/users.js';
import type { CallShapes, None, Wrapper } from '../src/wrapping/wrapper.js';
import { giveHttpSession } from './give-http-session.js';

/** `withHttpUser(options)`; the type argument, or the user of `users`, replaces `AppUser` here alone. */
export type HttpUserCall = <User extends UserLike = AppUser>(
  options?: HttpOptions<User>,
  notADecorator?: undefined,
) => Wrapper<HasHttpSession & HasUser<FoundUser<User>>>;

/** The type of {@link withHttpUser}. */
export interface WithHttpUser extends CallShapes<HasHttpSession & HasUser, None, HttpUserCall> {}

interface HttpUserRequirement extends HttpSessionRequirement {
  readonly source: UserSource;
  bind(dependencies: Dependencies): ReturnType<HttpSessionRequirement['bind']> & { readonly users: UserRepository<UserLike> };
}

/**
 * Whom a message on disconnect belongs to where its HTTP session or that one's user cannot be read: nobody whom another credential names.
 */
function lastKnownUser(message: ChannelMessage): AuthenticatedUser | AnonymousUser {
  const { identity, user } = message.channel;
  if (!identity.isOfHttpSession) return anonymousUser;
  return message.hasUser ? message.user : user; // an outer wrapper that found the session gone has put nobody
}

async function giveHttpUser(message: ChannelMessage, requirement: HttpUserRequirement): Promise<void> {
  await giveHttpSession(message, requirement);
  const { runtime } = message.channel;
  const connecting = connectingOf(message);
  const { users } = runtime.bind(requirement);
  const source = runtime.bind(requirement.source);
  if (hasOwnUserOf(message, source)) return; // the same wrapper stands further out
  const put = (user: AuthenticatedUser | AnonymousUser): void => putOwnUser(message, user, { wrapper: requirement.wrapper, source });
  const userId = message.httpSession?.userId;
  if (userId == null) {
    put(message.kind === 'disconnect' ? lastKnownUser(message) : anonymousUser);
    return;
  }
  const find = (): Promise<UserLike | undefined> =>
    boundedLookUp('Looking up the user of an HTTP session', () => users.findById(userId), runtime.timeLimit);
  let found: AuthenticatedUser | AnonymousUser;
  try {
    const user = await (connecting === undefined ? find() : connecting.waitFor('lookUps', find()));
    found = user == null ? anonymousUser : checkedUser(user, 'users.findById');
  } catch (error) {
    const failed = lookUpFailed(error);
    if (message.kind !== 'disconnect') throw failed;
    // its handler is owed all the same; nobody is left to be refused
    runtime.reporter.error(failed, message);
    found = lastKnownUser(message);
  }
  put(found);
}

/**
 * Gives a handler the web site's session, as `withHttpSession` does, and its user as `message.user`, both read anew for each message. It
 * does not identify the channel itself: for that, use `withUserFromHttp`.
 *
 * Ports `http_session_user` of Channels 1.1.8 (`channels/auth.py`).
 */
export const withHttpUser: WithHttpUser = defineBuiltIn('withHttpUser', {
  prepare: (given: HttpOptions | undefined, name): HttpUserRequirement => {
    const { sessions, users } = checkedHttpOptions(name, given);
    return {
      kind: 'http-session',
      wrapper: name,
      source: httpSessionSource(name, given),
      bind: (dependencies) => ({
        reader: requireReader(name, sessions, dependencies),
        users: requireUsers(name, users, dependencies),
      }),
    };
  },
  requires: (requirement, name) => [requirement, { kind: 'user', wrapper: name, source: requirement.source }],
  before: giveHttpUser,
});
