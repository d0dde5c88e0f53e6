import { channelMessage } from '../src/channel/channel-message.js';
import { giveSession } from '../src/channel/give.js';
import type { HasChannelSession } from '../src/messages.js';
import { type ChannelSessionOptions, checkSessionOptions } from '../src/session/session-settings.js';
import { defineBefore } from '../src/wrapping/define-wrapper.js';
import type { Configurable } from '../src/wrapping/wrapper.js';

/**
 * Gives a handler its channel's session, as `message.channelSession`. What the handler changes is saved when it has succeeded. The
 * options of all slots of a server must agree, since a channel has one session.
 *
 * Ports `channel_session` of Channels 1.1.8 (`channels/sessions.py`).
 */
export const withChannelSession: Configurable<ChannelSessionOptions, HasChannelSession> = defineBefore('withChannelSession', {
  prepare: (given: ChannelSessionOptions | undefined) => checkSessionOptions('withChannelSession', given),
  requires: (options) => [{ kind: 'session', options }],
  before: (message) => giveSession(channelMessage('withChannelSession', message)),
}) as Configurable<ChannelSessionOptions, HasChannelSession>;
