import type { HandshakeRequest } from '../messages.js';
import { refusedOrigin } from '../refused-origin.js';
import type { ChannelRegistry } from './channel-registry.js';
import { Connecting } from './connecting.js';
import { LiveChannel } from './live-channel.js';
import type { Runtime } from './runtime.js';
import type { Transport } from './transport.js';

/** A channel that has just come into being, and when its connect is over, well or not. */
export interface OpenedChannel {
  readonly channel: LiveChannel;
  readonly connected: Promise<void>;
}

/** Makes a channel of a handshake that has arrived, and refuses it or begins its connect. */
export function openChannel(runtime: Runtime, registry: ChannelRegistry, transport: Transport, request: HandshakeRequest): OpenedChannel {
  const channel = new LiveChannel(runtime, registry, transport);
  if (isAnybodyTold(runtime)) runtime.lifecycle.arrived(channel, request);
  if (registry.isClosing) channel.endWith('ERR_SHUTDOWN');
  else if (!runtime.isOriginAllowed(request)) {
    runtime.reporter.warn(refusedOrigin(request));
    channel.endWith('ERR_ORIGIN_REFUSED');
  } else if (transport.isOverfull) channel.overflowed();
  else if (hasRoom(runtime, channel, request)) {
    return { channel, connected: new Connecting(channel, registry, transport, request).run() };
  }
  return { channel, connected: Promise.resolve() };
}

/** Whether the address may have one more channel; this one is refused where it may not, or where nobody can say. */
function hasRoom({ limits, reporter, addresses }: Runtime, channel: LiveChannel, request: HandshakeRequest): boolean {
  if (limits === undefined && addresses.arePeers) return true; // nobody asks for it yet
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

/** Whether anybody is told of channels: they want to know when it came. */
function isAnybodyTold({ events: { audience } }: Runtime): boolean {
  return audience.handshake.hasSubscribers || audience.refusal.hasSubscribers || audience.close.hasSubscribers;
}
