import type { ChannelMessage } from '../src/channel/channel-message.js';
import { defineBuiltIn, giveSession } from '../src/channel/define-built-in.js';
import type { HttpSessionRequirement } from '../src/channel/requirement-kinds.js';
import type { HasChannelSession, HasHttpSession } from '../src/messages.js';
import type { Configurable } from '../src/wrapping/wrapper.js';
import { giveHttpSession } from './give-http-session.js';
import { type HttpSessionOptions, httpSessionRequirement } from './with-http-session.js';

async function giveBoth(message: ChannelMessage, requirement: HttpSessionRequirement): Promise<void> {
  await giveSession(message);
  await giveHttpSession(message, requirement);
}

/**
 * Gives a handler both sessions: its channel's as `message.channelSession`, and the web site's as `message.httpSession`, as
 * `withHttpSession` does.
 *
 * Ports `channel_and_http_session` of Channels 1.1.8 (`channels/sessions.py`).
 */
export const withChannelAndHttpSession: Configurable<HttpSessionOptions, HasChannelSession & HasHttpSession> = defineBuiltIn(
  'withChannelAndHttpSession',
  {
    prepare: (given: HttpSessionOptions | undefined, name) => httpSessionRequirement(name, given),
    requires: (requirement) => [{ kind: 'session', options: {} }, requirement],
    before: giveBoth,
  },
);
