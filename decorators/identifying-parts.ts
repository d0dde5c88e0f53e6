import { type BuiltInParts, giveUser, putUser, type UserRequest } from '../src/channel/define-built-in.js';
import type { UserSource } from '../src/identity/user-source.js';
import { type HttpParts, httpParts } from './http-parts.js';

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
