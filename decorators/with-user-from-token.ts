import { defineBuiltIn } from '../src/channel/define-built-in.js';
import { type TokenOptions, tokenSource } from '../src/identity/from-token.js';
import type { HasChannelSession } from '../src/messages.js';
import type { AppUser, FoundUser, HasUser, UserLike } from '../src/users.js';
import type { CallShapes, None, Wrapper } from '../src/wrapping/wrapper.js';
import { identifyingParts } from './identifying-parts.js';
import type { UserCall } from './user-call.js';

/** `withUserFromToken(options)`; the type argument, or the user of `tokens`, replaces `AppUser` here alone. */
export type UserFromTokenCall = <User extends UserLike = AppUser>(
  options?: TokenOptions<User>,
  notADecorator?: undefined,
) => Wrapper<HasChannelSession & HasUser<FoundUser<User>>>;

/** The type of {@link withUserFromToken}. */
export interface WithUserFromToken extends CallShapes<HasChannelSession & HasUser, None, UserCall & UserFromTokenCall> {}

/**
 * Gives a handler its channel's session, as `message.channelSession`, and the user of the token that the client presented, as
 * `message.user`. Without a valid token that is the anonymous user, and `message.authentication` says why.
 *
 * The token is looked up once, at connect. Later messages get what the channel knows. If the repository fails, the handshake is refused
 * with 503; nobody becomes anonymous.
 *
 * Ports `channel_session_user_from_token`, which a post of 2017 adds to Channels 1.1.8 (`docs/from-channels.md`).
 */
export const withUserFromToken: WithUserFromToken = defineBuiltIn(
  'withUserFromToken',
  identifyingParts((given: TokenOptions | undefined, name) => [tokenSource(name, given)]),
);
