import { defineBuiltIn } from '../src/channel/define-built-in.js';
import { ChannelError } from '../src/errors.js';
import type { AppUser, AuthenticatedUser, HasAuthenticatedUser, HasUser } from '../src/users.js';
import type { CallShapes, NoOptions, Wrapper } from '../src/wrapping/wrapper.js';
import { hasLostHttpSession } from './give-http-session.js';

/** `withAuthenticatedUser<User>()`: the type argument replaces `AppUser` here alone. */
export type AuthenticatedUserCall = <User extends AuthenticatedUser = AppUser>(
  options?: NoOptions,
  notADecorator?: undefined,
) => Wrapper<HasAuthenticatedUser<User>, HasUser<User>>;

/** The type of {@link withAuthenticatedUser}. */
export interface WithAuthenticatedUser extends CallShapes<HasAuthenticatedUser, HasUser, AuthenticatedUserCall> {}

/**
 * Lets only the application's users through, and narrows `message.user` to them. Put it inside a wrapper that finds a user. It refuses the
 * anonymous with 401 before the handshake is answered, and closes with 3000 after it. A disconnect handler runs if the channel was ever
 * authenticated, and is skipped otherwise.
 *
 * No decorator of Channels does this, though many users thought that one did.
 */
export const withAuthenticatedUser: WithAuthenticatedUser = defineBuiltIn('withAuthenticatedUser', {
  before: (message) => {
    if (message.user.isAuthenticated) return;
    const { user } = message.channel;
    if (message.kind === 'disconnect' && user.isAuthenticated) message.user = user;
    else if (hasLostHttpSession(message)) {
      throw new ChannelError(
        'ERR_HTTP_SESSION_ENDED',
        'The HTTP session that identified the channel is gone, or somebody else has it now.',
      );
    } else throw new ChannelError('ERR_AUTHENTICATION_REQUIRED', 'The handler is for authenticated users only, and this one is anonymous.');
  },
});
