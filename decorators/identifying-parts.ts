import type { ChannelMessage } from '../src/channel/channel-message.js';
import type { BuiltInParts } from '../src/channel/define-built-in.js';
import { giveUser } from '../src/channel/desk.js';
import type { UserSource } from '../src/identity/user-source.js';
import { checkedSessionOptions } from '../src/session/session-settings.js';
import { type HttpParts, httpParts } from './http-parts.js';

/** What an identifying wrapper works with. */
interface Identifying {
  readonly sources: readonly UserSource[];
  readonly http: HttpParts | undefined;
}

async function giveHttpSessionAfter(giving: Promise<void> | undefined, message: ChannelMessage, http: HttpParts): Promise<void> {
  await giving;
  await http.give(message);
}

/**
 * The parts of a wrapper that identifies the channel by the sources that `sourcesOf` makes of its options: session and user, and the HTTP
 * session where it is among the sources.
 */
export function identifyingParts<Given extends object>(
  sourcesOf: (given: Given | undefined, name: string) => readonly UserSource[],
): BuiltInParts<Given, Identifying> {
  return {
    prepare: (given, name) => {
      const sources = sourcesOf(given, name);
      return { sources, http: httpParts(name, sources) };
    },
    requires: ({ sources, http }, name) => [
      { kind: 'identification', wrapper: name, sources },
      { kind: 'session', options: checkedSessionOptions(name) },
      ...(http?.requires ?? []),
    ],
    before: (message, { sources, http }, name) => {
      const giving = giveUser(name, message, sources);
      return http === undefined ? giving : giveHttpSessionAfter(giving, message, http);
    },
  };
}
