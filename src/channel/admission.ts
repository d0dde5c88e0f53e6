import type { HandshakeRequest } from '../messages.js';
import type { ChannelLimits } from './channel-limits.js';
import type { Connection } from './connection.js';

/** Whether the address may have one more channel; this one is refused where it may not, or where nobody can say. */
export function admitAddress(channel: Connection, request: HandshakeRequest): boolean {
  const { limits, reporter, addresses } = channel.runtime;
  try {
    const address = addresses.of(request);
    if (limits === undefined || limits.takeAddress(channel, address)) return true;
    reporter.tooManyChannels('address');
    channel.endWith('ERR_TOO_MANY_CHANNELS');
  } catch (error) {
    channel.fail(error);
  }
  return false;
}

/** It is known whose the channel is: one too many ends here. */
export function admitUser(channel: Connection, limits: ChannelLimits): void {
  if (!channel.isOpen || limits.takeUser(channel, channel.user.id)) return;
  channel.runtime.reporter.tooManyChannels('user');
  channel.endWith('ERR_TOO_MANY_CHANNELS');
}
