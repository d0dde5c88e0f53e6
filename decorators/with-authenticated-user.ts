import { channelMessage } from '../src/channel/channel-message.js';
import { ChannelError } from '../src/errors.js';
import type { AppUser, AuthenticatedUser, HasAuthenticatedUser, HasUser } from '../src/users.js';
import { defineBefore } from '../src/wrapping/define-wrapper.js';
import type { CallShapes, NoOptions, Wrapper } from '../src/wrapping/wrapper.js';
import { checkNoOptions } from './no-options.js';

/** `withAuthenticatedUser<User>()`: the type argument replaces `AppUser` here alone. */
export type AuthenticatedUserCall = <User extends AuthenticatedUser = AppUser>(
  options?: NoOptions,
  notADecorator?: undefined,
) => Wrapper<HasAuthenticatedUser<User>, HasUser<User>>;

/** The type of {@link withAuthenticatedUser}. */
export interface WithAuthenticatedUser extends CallShapes<HasAuthenticatedUser, HasUser, AuthenticatedUserCall> {}

/**
 * Lets only the application's users through, and narrows `message.user` to them. It stands inside a wrapper that finds a user. The anonymous
 * is refused with 401 (before the handshake is answered) or closed with 3000; a disconnect handler runs if the channel was ever
 * authenticated, and is skipped otherwise.
 *
 * No decorator of Channels does this, though many users thought that one did.
 */
export const withAuthenticatedUser: WithAuthenticatedUser = defineBefore('withAuthenticatedUser', {
  prepare: (given) => checkNoOptions('withAuthenticatedUser', given),
  before: (message) => {
    const known = channelMessage('withAuthenticatedUser', message);
    if (known.user.isAuthenticated) return;
    const { user } = known.channel;
    if (known.kind === 'disconnect' && user.isAuthenticated) known.user = user;
    else throw new ChannelError('ERR_AUTHENTICATION_REQUIRED', 'The handler is for authenticated users only, and this one is anonymous.');
  },
}) as WithAuthenticatedUser;
