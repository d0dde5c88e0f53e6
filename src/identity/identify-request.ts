import type { IncomingMessage } from 'node:http';
import { type Authentication, nothingPresented } from '../authentication.js';
import type { HttpSession, HttpSessionReader } from '../contracts/http-session-reader.js';
import { foundOrMade } from '../found-or-made.js';
import { kindOf } from '../kind-of.js';
import { nothing } from '../maybe-promise.js';
import type { TimeLimit } from '../time/deadline.js';
import type { AnonymousUser, AppUser, AuthenticatedUser } from '../users.js';
import { boundedLookUp, type LookUpSignal } from './bounded-look-up.js';
import { checkedHttpSession } from './checked-http-session.js';
import { Identification } from './identification.js';
import { onDeparture } from './on-departure.js';
import type { BoundSource } from './user-source.js';

/** Who was identified, and how. */
export interface Identified<User extends AuthenticatedUser = AppUser> {
  readonly user: User | AnonymousUser;
  readonly authentication: Authentication;
}

/**
 * What is read of a request of `node:http2` is there as in one of `node:http`.
 *
 * @throws {TypeError} unless `request` is one of these: in a `Request` of the Fetch API nothing would be found, so everybody was anonymous.
 */
export function checkRequest(owner: string, request: unknown): asserts request is IncomingMessage {
  const headers: unknown = typeof request === 'object' && request !== null ? Reflect.get(request, 'headers') : undefined;
  if (typeof headers === 'object' && headers !== null && typeof Reflect.get(headers, 'get') !== 'function') return;
  const got = headers === undefined ? kindOf(request) : 'one of another kind, such as a Request of the Fetch API';
  throw new TypeError(`${owner}: request must be an IncomingMessage of node:http, got ${got}`);
}

/**
 * Who sent `request`, as `sources` find it, apart from any channel. The HTTP session is read once for all of them.
 *
 * @param leavesTickets whether a ticket that the request presents is left as it is.
 * @throws {ChannelError} (as a rejection) `ERR_LOOKUP_FAILED` or `ERR_LOOKUP_TIMEOUT` where it cannot be told.
 */
export async function identificationOf(
  request: IncomingMessage,
  sources: readonly BoundSource[],
  limit: TimeLimit,
  leavesTickets = false,
): Promise<Identification> {
  const found = new Identification();
  const sessions = new Map<HttpSessionReader, Promise<HttpSession | undefined>>();
  const httpSession = (reader: HttpSessionReader): Promise<HttpSession | undefined> =>
    foundOrMade(sessions, reader, () => readSession(reader, request, found));
  let stopWaiting: (() => void) | undefined;
  const find = (aborting: LookUpSignal): Promise<void> => {
    stopWaiting = onDeparture(request, () => aborting.abort(new Error('The client has left.')));
    return found.find(request, sources, { httpSession, claim: nothing, aborting, ...(leavesTickets && { leavesTickets }) });
  };
  try {
    await boundedLookUp('Looking up the user', find, limit);
  } finally {
    stopWaiting?.();
  }
  return found;
}

/** What is told of an identification. */
export function identifiedBy({ user, authentication }: Identification): Identified {
  return { user, authentication: authentication ?? nothingPresented };
}

async function readSession(reader: HttpSessionReader, request: IncomingMessage, found: Identification): Promise<HttpSession | undefined> {
  const session = checkedHttpSession(await reader.read(request), 'sessions.read');
  found.rememberHttpSession(session);
  return session;
}
