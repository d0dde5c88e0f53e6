import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { aContainer, anything, checkedOptions, type Rules } from '../checked-options.js';
import { Dependencies } from '../dependencies.js';
import type { DependencyContainer } from '../injection.js';
import { isUpgrade, type OriginOptions, originRule, originRules } from '../origin.js';
import { refusedOrigin } from '../refused-origin.js';
import { systemClock } from '../time/system-clock.js';
import type { AnonymousUser } from '../users.js';
import { checkedSources } from './checked-sources.js';
import { checkRequest, type Identified, identificationOf, identifiedBy } from './identify-request.js';
import type { AnySource, SourceUser } from './user-source.js';

/** Options of look-ups without a server. */
export interface LookUpOptions {
  /** Where dependencies are looked for before tsyringe's global container, as the server's. @default the global one */
  readonly container?: Partial<DependencyContainer> | undefined;
  /** How long the look-ups may take, in milliseconds, above 0. @default 5,000 */
  readonly timeoutMs?: number | undefined;
}

/** Options of `identifyUser`. */
export interface IdentifyOptions<Sources extends readonly [AnySource, ...AnySource[]]> extends OriginOptions, LookUpOptions {
  /** Where users come from, as for `withUserFrom`. */
  readonly sources: Sources;
}

/** How long look-ups may take unless an option says otherwise, in milliseconds. */
export const defaultLookUpTimeoutMs = 5_000;
/** What their options must be. */
export const lookUpRules: Rules<LookUpOptions> = {
  container: aContainer,
  timeoutMs: { must: 'a number above 0', accepts: (value) => Number.isFinite(value) && (value as number) > 0 },
};
const rules: Rules<IdentifyOptions<[AnySource]>> = {
  sources: anything, // checkedSources looks at them
  ...lookUpRules,
  ...originRules,
};

/**
 * The same identification as by the wrappers, without channel and session: for servers that keep their own sockets (graphql-ws, tRPC,
 * Socket.IO) and for plain HTTP routes. The origin rule applies if `request` is an upgrade.
 *
 * @throws {TypeError} when an option is not what it must be.
 * @throws {ChannelError} `ERR_ORIGIN_REFUSED`; `ERR_LOOKUP_FAILED` or `ERR_LOOKUP_TIMEOUT` when nobody can tell who it is;
 * `ERR_DEPENDENCY_MISSING`.
 */
export async function identifyUser<const Sources extends readonly [AnySource, ...AnySource[]]>(
  request: IncomingMessage | Http2ServerRequest,
  options: IdentifyOptions<Sources>,
): Promise<Identified<SourceUser<Sources>>> {
  const { container, timeoutMs: ms = defaultLookUpTimeoutMs, sources: given } = checkedOptions('identifyUser', options, rules);
  const sources = checkedSources('identifyUser', given);
  checkRequest('identifyUser', request);
  const isAllowed = originRule(options, 'identifyUser');
  if (isUpgrade(request) && !isAllowed(request)) throw refusedOrigin(request);
  const dependencies = new Dependencies(container, ms, systemClock);
  const bound = sources.map((source) => source.bind(dependencies));
  const { user, authentication } = identifiedBy(await identificationOf(request, bound, { clock: systemClock, ms }));
  return { user: user as SourceUser<Sources> | AnonymousUser, authentication };
}
