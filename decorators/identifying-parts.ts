import type { ChannelMessage } from '../src/channel/channel-message.js';
import { type BuiltInParts, giveUser, putUser, type UserRequest } from '../src/channel/define-built-in.js';
import type { HttpSessionRequirement } from '../src/channel/requirement-kinds.js';
import type { HttpSessionReader } from '../src/contracts/http-session-reader.js';
import type { UserSource } from '../src/identity/user-source.js';
import { giveHttpSession } from './give-http-session.js';

/** What an identifying wrapper with HTTP sessions among its sources does beside identifying. */
interface HttpParts {
  readonly requires: readonly HttpSessionRequirement[];
  /** Gives the HTTP session, once the channel is identified. */
  give(message: ChannelMessage): Promise<void>;
}

/** The HTTP part of `sources`; `undefined` where none of them reads HTTP sessions. All that do have one reader. */
function httpParts(wrapper: string, sources: readonly UserSource[]): HttpParts | undefined {
  const requires = sources
    .filter(({ source }) => source === 'http-session')
    .map((source): HttpSessionRequirement => {
      const bind: HttpSessionRequirement['bind'] = (dependencies) => ({ reader: source.bind(dependencies).reader as HttpSessionReader });
      return { kind: 'http-session', wrapper, bind };
    });
  const [first] = requires;
  return first && { requires, give: (message) => giveHttpSession(message, first) };
}

/** What an identifying wrapper works with. */
interface Identifying extends UserRequest {
  readonly http: HttpParts | undefined;
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
      { kind: 'session', options: {} },
      ...(http?.requires ?? []),
    ],
    before: giveUser,
    afterWaiting: putUser,
  };
}
