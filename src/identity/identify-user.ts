import type { IncomingMessage } from 'node:http';
import type { Authentication } from '../authentication.js';
import type { HttpSession, HttpSessionReader } from '../contracts/http-session-reader.js';
import { Dependencies } from '../dependencies.js';
import type { DependencyContainer } from '../injection.js';
import { type OriginOptions, originRule } from '../origin.js';
import { refusedOrigin } from '../refused-origin.js';
import { systemClock } from '../system-clock.js';
import { type AnonymousUser, type AuthenticatedUser, anonymousUser } from '../users.js';
import { boundedLookUp } from './bounded-look-up.js';
import { checkSources } from './check-sources.js';
import { identify } from './identify.js';
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
const known: ReadonlySet<string> = new Set(['sources', 'container', 'timeoutMs', 'origins', 'publicOrigin', 'requireOrigin', 'trustProxy']);

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
  const unknown = Object.keys(options).find((name) => !known.has(name));
  if (unknown !== undefined) throw new TypeError(`identifyUser: there is no option ${unknown}`);
  const checked = checkSources('identifyUser', options.sources);
  const { container, timeoutMs: ms = defaultTimeoutMs } = options;
  if (!(Number.isFinite(ms) && ms > 0)) throw new TypeError(`identifyUser: timeoutMs must be a number above 0, got ${String(ms)}`);
  if (request.headers.upgrade !== undefined && !originRule(options)(request)) {
    throw refusedOrigin(request);
  }
  const dependencies = new Dependencies(container, ms, systemClock);
  const bound = checked.map((source) => source.bind(dependencies));
  const sessions = new Map<HttpSessionReader, Promise<HttpSession | undefined>>();
  const lookUp = (reader: HttpSessionReader): Promise<HttpSession | undefined> => {
    const pending = sessions.get(reader) ?? readSession(reader, request);
    sessions.set(reader, pending);
    return pending;
  };
  const { user, authentication } = await boundedLookUp('Looking up the user', () => identify(request, bound, lookUp), systemClock, ms);
  return { user: (user ?? anonymousUser) as SourceUser<Sources> | AnonymousUser, authentication };
}

async function readSession(reader: HttpSessionReader, request: IncomingMessage): Promise<HttpSession | undefined> {
  return (await reader.read(request)) ?? undefined;
}
