import { defineBuiltIn, giveSession } from '../src/channel/define-built-in.js';
import type { HasChannelSession } from '../src/messages.js';
import { type ChannelSessionOptions, checkedSessionOptions, checkSeenOptions } from '../src/session/session-settings.js';
import type { Configurable } from '../src/wrapping/wrapper.js';

/**
 * Gives a handler its channel's session, as `message.channelSession`. What the handler changes is saved when it has succeeded. Two slots of
 * a server must not give one option different values, since a channel has one session.
 *
 * Ports `channel_session` of Channels 1.1.8 (`channels/sessions.py`).
 */
export const withChannelSession: Configurable<ChannelSessionOptions, HasChannelSession> = defineBuiltIn('withChannelSession', {
  prepare: (given: ChannelSessionOptions | undefined, name) => checkedSessionOptions(name, given),
  requires: (options) => [{ kind: 'session', options }],
  before: (message, options) => {
    checkSeenOptions(options, message.channel.runtime.sessions.settings);
    return giveSession(message);
  },
});
