import type { ChannelMessage } from '../../src/channel/channel-message.js';
import { ChannelConnectMessage } from '../../src/channel/connecting.js';
import { ChannelError } from '../../src/errors.js';
import type { AnonymousUser, AuthenticatedUser } from '../../src/users.js';
import type { RateLimitBy } from './options.js';

/**
 * The limiter's key for who sent `message`.
 *
 * @throws {ChannelError} `ERR_WRAPPER_MISSING` where users are limited and nobody has looked for one yet.
 */
export function limitKey(owner: string, message: ChannelMessage, by: RateLimitBy): string {
  const { channel } = message;
  if (by === 'channel') return `channel:${channel.id}`;
  if (by === 'user') {
    const { id } = userOf(owner, message);
    if (id !== null) return `user:${id}`;
  }
  const address = message instanceof ChannelConnectMessage ? channel.runtime.addresses.of(message.request) : channel.handshake.address;
  return address === undefined ? `channel:${channel.id}` : `address:${address}`;
}

function userOf(owner: string, message: ChannelMessage): AuthenticatedUser | AnonymousUser {
  if (message.hasUser) return message.user;
  if (message.authentication !== undefined) return message.channel.user;
  throw new ChannelError(
    'ERR_WRAPPER_MISSING',
    `${owner}({ by: 'user' }) stands where nobody has looked for a user yet: put it inside a wrapper that identifies, such as withUserFromToken.`,
  );
}
