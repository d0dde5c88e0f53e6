import { defineBuiltIn, giveUser, putUser } from '../src/channel/define-built-in.js';
import type { HasChannelSession } from '../src/messages.js';
import type { AppUser, AuthenticatedUser, HasUser } from '../src/users.js';
import type { CallShapes, None, NoOptions, Wrapper } from '../src/wrapping/wrapper.js';

/** `withChannelUser<User>()`: the type argument replaces `AppUser` here alone. */
export type ChannelUserCall = <User extends AuthenticatedUser = AppUser>(
  options?: NoOptions,
  notADecorator?: undefined,
) => Wrapper<HasChannelSession & HasUser<User>>;

/** The type of {@link withChannelUser}. */
export interface WithChannelUser extends CallShapes<HasChannelSession & HasUser, None, ChannelUserCall> {}

/**
 * Gives a handler its channel's session and the user whom the channel knows already, whichever source found it at connect; if none did, the
 * anonymous user. It looks nothing up. Use it for every message after connect.
 *
 * Ports `channel_session_user` of Channels 1.1.8 (`channels/auth.py`).
 */
export const withChannelUser: WithChannelUser = defineBuiltIn('withChannelUser', {
  requires: (_options, name) => [
    { kind: 'user', wrapper: name, source: undefined },
    { kind: 'session', options: {} },
  ],
  before: giveUser,
  afterWaiting: putUser,
});
