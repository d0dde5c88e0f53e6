import { defineBuiltIn } from '../src/channel/define-built-in.js';
import type { HttpSessionRequirement } from '../src/channel/requirement-kinds.js';
import { checkedOptions } from '../src/checked-options.js';
import type { HttpSessionReader } from '../src/contracts/http-session-reader.js';
import { httpSessionRules, requireReader } from '../src/identity/from-http-session.js';
import type { HasHttpSession } from '../src/messages.js';
import type { Configurable } from '../src/wrapping/wrapper.js';
import { giveHttpSession } from './give-http-session.js';

/** Options of `withHttpSession` and `withChannelAndHttpSession`. */
export interface HttpSessionOptions {
  /** Reads the web site's sessions. @default what is registered as `HTTP_SESSION_READER` */
  readonly sessions?: HttpSessionReader | undefined;
}

/** The requirement of a wrapper named `wrapper` that reads HTTP sessions through `given.sessions`. */
export function httpSessionRequirement(wrapper: string, given: HttpSessionOptions | undefined): HttpSessionRequirement {
  const { sessions } = checkedOptions(wrapper, given, httpSessionRules);
  return { kind: 'http-session', wrapper, bind: (dependencies) => ({ reader: requireReader(wrapper, sessions, dependencies) }) };
}

/**
 * Gives a handler the web site's session as `message.httpSession`, or `undefined` if there is none; it never creates one. It reads the
 * session from the handshake at connect, and again by its id for each later message. What the handler changes in its `data` is saved when
 * the handler has succeeded.
 *
 * Ports `http_session` of Channels 1.1.8 (`channels/sessions.py`).
 */
export const withHttpSession: Configurable<HttpSessionOptions, HasHttpSession> = defineBuiltIn('withHttpSession', {
  prepare: (given: HttpSessionOptions | undefined, name) => httpSessionRequirement(name, given),
  requires: (requirement) => [requirement],
  before: giveHttpSession,
});
