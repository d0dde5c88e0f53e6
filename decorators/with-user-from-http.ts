import { defineBuiltIn } from '../src/channel/define-built-in.js';
import { type HttpSourceOptions, httpSessionSource } from '../src/identity/from-http-session.js';
import type { HasChannelSession, HasHttpSession } from '../src/messages.js';
import type { AppUser, FoundUser, HasUser, UserLike } from '../src/users.js';
import type { CallShapes, None, Wrapper } from '../src/wrapping/wrapper.js';
import { identifyingParts } from './identifying-parts.js';
import type { UserCall } from './user-call.js';

/** `withUserFromHttp(options)`; the type argument, or the user of `users`, replaces `AppUser` here alone. */
export type UserFromHttpCall = <User extends UserLike = AppUser>(
  options?: HttpSourceOptions<User>,
  notADecorator?: undefined,
) => Wrapper<HasChannelSession & HasHttpSession & HasUser<FoundUser<User>>>;

/** {@link UserFromHttpCall} once more, where its options are given: the compiler's messages speak of the last call that there is. */
export type UserFromHttpOptionsCall = <User extends UserLike = AppUser>(
  options: HttpSourceOptions<User>,
  notADecorator?: undefined,
) => Wrapper<HasChannelSession & HasHttpSession & HasUser<FoundUser<User>>>;

/** The type of {@link withUserFromHttp}. */
export interface WithUserFromHttp
  extends CallShapes<HasChannelSession & HasHttpSession & HasUser, None, UserFromHttpCall & UserCall & UserFromHttpOptionsCall> {}

/**
 * Gives a handler its channel's session, the web site's session as `message.httpSession` (or `undefined`), and that session's user as
 * `message.user`. The user is found once, at connect, and kept. Later messages read the HTTP session again by its id. Once it is gone,
 * their user is anonymous, and the channel ends with 3000.
 *
 * Ports `channel_session_user_from_http` and `channel_and_http_session_user_from_http` of Channels 1.1.8 (`channels/auth.py`).
 */
export const withUserFromHttp: WithUserFromHttp = defineBuiltIn(
  'withUserFromHttp',
  identifyingParts((given: HttpSourceOptions | undefined, name) => [httpSessionSource(name, given)]),
);
