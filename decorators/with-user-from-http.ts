import { channelMessage } from '../src/channel/channel-message.js';
import { giveUser } from '../src/channel/give.js';
import { type HttpOptions, httpSessionSource } from '../src/identity/from-http-session.js';
import type { HasChannelSession, HasHttpSession } from '../src/messages.js';
import type { AppUser, AuthenticatedUser, HasUser } from '../src/users.js';
import { defineBefore } from '../src/wrapping/define-wrapper.js';
import type { CallShapes, None, Wrapper } from '../src/wrapping/wrapper.js';
import { httpParts } from './http-parts.js';
import { identifying } from './with-user-from.js';

/** `withUserFromHttp(options)`; the type argument, or the user of `users`, replaces `AppUser` here alone. */
export type UserFromHttpCall = <User extends AuthenticatedUser = AppUser>(
  options?: HttpOptions<User>,
  notADecorator?: undefined,
) => Wrapper<HasChannelSession & HasHttpSession & HasUser<User>>;

/** The type of {@link withUserFromHttp}. */
export interface WithUserFromHttp extends CallShapes<HasChannelSession & HasHttpSession & HasUser, None, UserFromHttpCall> {}

/**
 * Gives a handler its channel's session, the web site's session as `message.httpSession` (or `undefined`), and that session's user as
 * `message.user`. The user is found once, at connect, and kept: later messages read the HTTP session again by its id, and their user is
 * anonymous once it is gone; the channel then ends with 3000.
 *
 * Ports `channel_session_user_from_http` and `channel_and_http_session_user_from_http` of Channels 1.1.8 (`channels/auth.py`).
 */
export const withUserFromHttp: WithUserFromHttp = defineBefore('withUserFromHttp', {
  prepare: (given: HttpOptions | undefined) => {
    const sources = [httpSessionSource('withUserFromHttp', given)];
    return { sources, http: httpParts('withUserFromHttp', sources) };
  },
  requires: ({ sources, http }) => [...identifying('withUserFromHttp', sources), ...http.requires],
  before: (message, { sources, http }) =>
    http.before(channelMessage('withUserFromHttp', message), (known) => giveUser('withUserFromHttp', known, sources)),
}) as WithUserFromHttp;
