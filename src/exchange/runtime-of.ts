import type { Runtime } from '../channel/runtime.js';
import { kindOf } from '../kind-of.js';
import { checkCopy } from '../package-copy.js';
import { ChannelServer } from '../server/channel-server.js';

/**
 * What the channels of a server share.
 *
 * @throws {TypeError} when `channels` is no server, or one of another copy of this package.
 */
export function runtimeOf(owner: string, channels: unknown): Runtime {
  if (channels instanceof ChannelServer) return channels.runtime;
  checkCopy(`${owner}: channels`, channels);
  throw new TypeError(`${owner}: channels must be a ChannelServer, got ${kindOf(channels)}`);
}
