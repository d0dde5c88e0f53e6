import { KeptHandshake } from '../handshake.js';
import type { HandshakeRequest } from '../messages.js';
import { pendingSince } from '../pending-handlers.js';
import type { ChannelRegistry } from './channel-registry.js';
import { Connecting } from './connecting.js';
import { LiveChannel } from './live-channel.js';
import type { Runtime } from './runtime.js';
import type { Transport } from './transport.js';

/**
 * A connect that is never begun, of a channel that nobody knows. V8 forgets the shape of a class, and drops all code that it has optimized
 * for it, when a full garbage collection finds no object of it: as a rule no connect is under way just then. As long as this is kept, it
 * does not.
 */
export function specimenConnect(runtime: Runtime, registry: ChannelRegistry, transport: Transport, request: HandshakeRequest): Connecting {
  const channel = new LiveChannel(runtime, registry, transport);
  const connecting = new Connecting(channel, registry, transport, request);
  channel.connectBegun(connecting);
  channel.connected(new KeptHandshake(request, runtime.credentials));
  const { identity } = channel;
  identity.verifiedAt = connecting[pendingSince]; // V8 tells integers from other numbers
  identity.endsAt = connecting[pendingSince];
  return connecting;
}
