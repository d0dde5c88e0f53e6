import type { IncomingMessage } from 'node:http';
import type { Authentication } from '../authentication.js';
import { anything, checkedOptions, having, type Rules } from '../checked-options.js';
import type { HttpSession, HttpSessionReader } from '../contracts/http-session-reader.js';
import { Dependencies } from '../dependencies.js';
import type { DependencyContainer } from '../injection.js';
import { type OriginOptions, originRule, originRules } from '../origin.js';
import { refusedOrigin } from '../refused-origin.js';
import { systemClock } from '../system-clock.js';
import type { AnonymousUser, AuthenticatedUser } from '../users.js';
import { boundedLookUp } from './bounded-look-up.js';
import { checkedSources } from './checked-sources.js';
import { Identification } from './identification.js';
import type { AnySource, SourceUser } from './user-source.js';

/** Options of `identifyUser`. */
export interface IdentifyOptions<Sources extends readonly [AnySource, ...AnySource[]]> extends OriginOptions {
  /** Where users come from, as for `withUserFrom`. */
  readonly sources: Sources;
  /** Where dependencies are looked for before tsyringe's global container. @default the global one */
  readonly container?: DependencyContainer | undefined;
  /** How long the look-ups may take, in milliseconds. @default 5,000 */
  readonly timeoutMs?: number | undefined;
}

/** Who was identified, and how. */
export interface Identified<User extends AuthenticatedUser> {
  readonly user: User | AnonymousUser;
  readonly authentication: Authentication;
}

const defaultTimeoutMs = 5_000;
const rules: Rules<IdentifyOptions<[AnySource]>> = {
  sources: anything, // checkedSources looks at them
  container: having('a container of tsyringe', 'isRegistered', 'resolve'),
  timeoutMs: { must: 'a number above 0', accepts: (value) => Number.isFinite(value) && (value as number) > 0 },
  ...originRules,
};

/**
 * The identification of the wrappers for servers that own their sockets (graphql-ws, tRPC, socket.io) and for plain HTTP routes: no channel,
 * no session, the same rules. The origin rule is applied where `request` is an upgrade.
 *
 * @throws {TypeError} when an option is not what it must be.
 * @throws {ChannelError} `ERR_ORIGIN_REFUSED`; `ERR_LOOKUP_FAILED` or `ERR_LOOKUP_TIMEOUT` where it cannot be told who it is;
 * `ERR_DEPENDENCY_MISSING`.
 */
export async function identifyUser<const Sources extends readonly [AnySource, ...AnySource[]]>(
  request: IncomingMessage,
  options: IdentifyOptions<Sources>,
): Promise<Identified<SourceUser<Sources>>> {
  const { container, timeoutMs: ms = defaultTimeoutMs, sources: given } = checkedOptions('identifyUser', options, rules);
  const sources = checkedSources('identifyUser', given);
  if (request.headers.upgrade !== undefined && !originRule(options)(request)) {
    throw refusedOrigin(request);
  }
  const dependencies = new Dependencies(container, ms, systemClock);
  const bound = sources.map((source) => source.bind(dependencies));
  const sessions = new Map<HttpSessionReader, Promise<HttpSession | undefined>>();
  const lookUp = (reader: HttpSessionReader): Promise<HttpSession | undefined> => {
    const pending = sessions.get(reader) ?? readSession(reader, request);
    sessions.set(reader, pending);
    return pending;
  };
  const found = new Identification();
  await boundedLookUp(
    'Looking up the user',
    () => found.find(request, bound, { httpSession: lookUp, claim: () => undefined }),
    systemClock,
    ms,
  );
  return { user: found.user as SourceUser<Sources> | AnonymousUser, authentication: found.authentication as Authentication };
}

async function readSession(reader: HttpSessionReader, request: IncomingMessage): Promise<HttpSession | undefined> {
  return (await reader.read(request)) ?? undefined;
}
