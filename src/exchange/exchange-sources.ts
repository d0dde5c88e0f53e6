import type { Runtime } from '../channel/runtime.js';
import { checkedSources } from '../identity/checked-sources.js';
import { httpSessionSource } from '../identity/from-http-session.js';
import type { AnySource, BoundSource } from '../identity/user-source.js';

/** Which of a server's sources a handler asks. */
export type SourceKind = 'any' | 'token' | 'log-in';

/**
 * The sources that identify the requests of a handler: those that it was given, or those of the server's wrappers. Where these are tokens
 * (or tickets) alone and a log-in is asked for, it is the HTTP session's.
 *
 * @throws {TypeError} when there is none of its kind.
 * @throws {ChannelError} `ERR_DEPENDENCY_MISSING` when one of them needs something that is neither given nor registered.
 */
export function sourcesOf(
  owner: string,
  runtime: Runtime,
  given: readonly AnySource[] | undefined,
  kind: SourceKind,
): readonly BoundSource[] {
  if (given !== undefined)
    return ofKind(
      checkedSources(owner, given).map((source) => runtime.bind(source)),
      kind,
      owner,
    );
  const own = runtime.plan.sources ?? [];
  const takesTicketsAlone = runtime.credentials.sources.every(({ presents }) => presents === 'ticket');
  const hasLogIn = own.some(({ source }) => source !== 'token');
  if (!hasLogIn && (kind === 'log-in' || (kind === 'any' && takesTicketsAlone))) return [runtime.bind(httpSessionSource(owner))];
  return ofKind(own, kind, owner);
}

function ofKind(sources: readonly BoundSource[], kind: SourceKind, owner: string): readonly BoundSource[] {
  const found = kind === 'any' ? sources : sources.filter(({ source }) => (source === 'token') === (kind === 'token'));
  // a log-in that opens no channels any more is exchanged for a token all the same
  if (found.length > 0) return kind === 'log-in' ? found.map((source) => source.unending ?? source) : found;
  const wanted = kind === 'token' ? 'fromToken(…)' : 'fromHttpSession(…)';
  throw new TypeError(`${owner}: sources must have ${wanted}, or a wrapper of the server, got neither`);
}
