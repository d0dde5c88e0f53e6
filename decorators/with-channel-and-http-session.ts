import { channelMessage } from '../src/channel/channel-message.js';
import { giveSession } from '../src/channel/give.js';
import type { HasChannelSession, HasHttpSession } from '../src/messages.js';
import { checkSessionOptions } from '../src/session/session-settings.js';
import { defineBefore } from '../src/wrapping/define-wrapper.js';
import type { Configurable } from '../src/wrapping/wrapper.js';
import { giveHttpSession } from './http-parts.js';
import { type HttpSessionOptions, httpSessionRequirement } from './with-http-session.js';

const name = 'withChannelAndHttpSession';

/**
 * Gives a handler both sessions: its channel's as `message.channelSession`, and the web site's as `message.httpSession`, as `withHttpSession`
 * does.
 *
 * Ports `channel_and_http_session` of Channels 1.1.8 (`channels/sessions.py`).
 */
export const withChannelAndHttpSession: Configurable<HttpSessionOptions, HasChannelSession & HasHttpSession> = defineBefore(name, {
  prepare: (given: HttpSessionOptions | undefined) => httpSessionRequirement(name, given),
  requires: (requirement) => [{ kind: 'session', options: checkSessionOptions(name) }, requirement],
  before: async (message, requirement) => {
    const known = channelMessage(name, message);
    await giveSession(known);
    await giveHttpSession(known, requirement);
  },
}) as Configurable<HttpSessionOptions, HasChannelSession & HasHttpSession>;
