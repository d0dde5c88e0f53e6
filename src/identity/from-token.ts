import type { IncomingMessage } from 'node:http';
import { type Authentication, authenticationOf, type Carrier, nothingPresented } from '../authentication.js';
import { anything, checkedOptions, type Rules } from '../checked-options.js';
import type { Clock } from '../contracts/clock.js';
import type { HttpSessionReader } from '../contracts/http-session-reader.js';
import type { TicketStore } from '../contracts/ticket-store.js';
import type { TokenGrant, TokenRepository } from '../contracts/token-repository.js';
import type { UserRepository } from '../contracts/user-repository.js';
import { type Dependencies, type DependencyNames, missing } from '../dependencies.js';
import { HTTP_SESSION_READER, TICKET_STORE, TOKEN_REPOSITORY, USER_REPOSITORY } from '../injection.js';
import { digestOf, isTokenKey, type TokenId } from '../token-id.js';
import type { AppUser, FoundUser, UserLike } from '../users.js';
import { checkedGrant, checkedUser, outcomeOf } from './checked-grant.js';
import { type CredentialSource, checkedCredentialSources, cookie, findCredential } from './credentials.js';
import { aMoment, endingAt, untilAsked } from './ending-source.js';
import { tokenRecheck } from './recheck.js';
import { aRevalidation, copyOfRevalidation, type Revalidate } from './revalidation.js';
import { TicketLookUps } from './ticket-look-ups.js';
import { type BoundSource, type Finding, feedsOf, type HandshakeLookUps, type KeyLookUps, type UserSource } from './user-source.js';

/** Options of `fromToken` and `withUserFromToken`. */
export interface TokenOptions<User extends UserLike = AppUser> {
  /** Where the token may travel: one place, or several. Of several, the first that holds a key counts. @default cookie('key') */
  readonly from?: CredentialSource | readonly CredentialSource[] | undefined;
  /** Finds a token's user. @default what is registered as `TOKEN_REPOSITORY` */
  readonly tokens?: TokenRepository<User> | undefined;
  /** How often live channels are looked up again. @default the server's `revalidate` */
  readonly revalidate?: Revalidate | undefined;
  /** When this source ends. Before that moment, its clients cause a warning; from then on its tokens count as expired. @default never */
  readonly until?: Date | undefined;
  /** Where tickets are kept, for `ticket()` in `from`. @default what is registered as `TICKET_STORE` */
  readonly tickets?: TicketStore | undefined;
  /** Finds the users of tickets that were given without a token. @default what is registered as `USER_REPOSITORY` */
  readonly users?: UserRepository<User> | undefined;
  /** Reads the HTTP sessions for which tickets were given. @default what is registered as `HTTP_SESSION_READER` */
  readonly sessions?: HttpSessionReader | undefined;
}

/** The places are looked at by `checkedCredentialSources`, the repositories by the server. */
const rules: Rules<TokenOptions<UserLike>> = {
  from: anything,
  tokens: anything,
  revalidate: aRevalidation,
  until: aMoment,
  tickets: anything,
  users: anything,
  sessions: anything,
};
/** The options that mean nothing without `ticket()`. */
const ofTickets = ['tickets', 'users', 'sessions'] as const;

/** A place where a key or a ticket may be, and how its user is found. */
interface Place extends CredentialSource {
  lookUp(key: string, lookUps: HandshakeLookUps): Promise<Finding>;
}

function isOfTickets({ presents }: CredentialSource): boolean {
  return presents === 'ticket';
}

function findUser(request: IncomingMessage, places: readonly Place[], lookUps: HandshakeLookUps): Finding | Promise<Finding> {
  const usable = lookUps.leavesTickets === true ? places.filter((each) => !isOfTickets(each)) : places;
  const { presented, place } = findCredential(request, usable);
  if (place === undefined) return { user: undefined, authentication: nothingPresented };
  if (presented.kind === 'key') return place.lookUp(presented.key, lookUps);
  const carrier = isOfTickets(place) ? 'ticket' : place.carrier;
  return { user: undefined, authentication: Object.freeze({ outcome: 'malformed', source: 'token', carrier }) };
}

/** Looks up the keys that come by `carrier`. It throws where the repository does so, rather than reject. */
function keyLookUp(
  carrier: Carrier | undefined,
  tokens: TokenRepository<UserLike>,
  clock: Clock,
): (key: string, lookUps: KeyLookUps) => Promise<Finding> {
  return (key, lookUps) => {
    const tokenId = digestOf(key);
    lookUps.claim({ tokenId });
    return Promise.resolve(tokens.findById(tokenId)).then((found) => findingOf(found, tokenId, carrier, clock));
  };
}

function findingOf(found: unknown, tokenId: TokenId, carrier: Carrier | undefined, clock: Clock): Finding {
  const grant = checkedGrant(found, 'tokens.findById');
  const outcome = outcomeOf(grant, clock);
  const presented: Authentication =
    carrier === undefined ? { outcome, source: 'token', tokenId } : { outcome, source: 'token', carrier, tokenId };
  if (outcome !== 'ok') return { user: undefined, authentication: Object.freeze(presented) };
  return { user: checkedUser(grant?.user, 'tokens.findById'), authentication: withTerms(presented, grant) };
}

/** `presented`, with what its grant says of how long and for what it counts: most say nothing. */
function withTerms(presented: Authentication, grant: TokenGrant<UserLike> | undefined): Authentication {
  const { expiresAt, scopes } = grant ?? {};
  if (expiresAt == null && scopes == null) return Object.freeze(presented);
  // a copy: whoever reads it may change it, and the repository its own
  return authenticationOf({ ...presented, expiresAt: expiresAt && new Date(expiresAt), scopes });
}

/**
 * A source for `withUserFrom`: finds the user by a token. `withUserFromToken` is `withUserFrom(fromToken(…))`.
 *
 * @throws {TypeError} when an option is not what it must be.
 */
export function fromToken<User extends UserLike = AppUser>(options: TokenOptions<User> = {}): UserSource<FoundUser<User>> {
  return tokenSource('fromToken', options);
}

/** {@link fromToken}, with errors that name `owner`. */
export function tokenSource<User extends UserLike>(owner: string, given: TokenOptions<User> = {}): UserSource<FoundUser<User>> {
  const options = checkedOptions(owner, given, rules);
  const credentials = checkedCredentialSources(owner, options.from ?? cookie());
  const idle = credentials.some(isOfTickets) ? undefined : ofTickets.find((name) => options[name] !== undefined);
  if (idle !== undefined) throw new TypeError(`${owner}: ${idle} must be absent where from has no ticket(), got one`);
  return Object.freeze<UserSource<FoundUser<User>>>({
    source: 'token',
    credentials,
    bind: (dependencies) => boundTo(dependencies, owner, options, credentials),
  });
}

function boundTo<User extends UserLike>(
  dependencies: Dependencies,
  owner: string,
  options: TokenOptions<User>,
  credentials: readonly CredentialSource[],
): BoundSource {
  const { clock } = dependencies;
  const names = { wrapper: owner, option: 'tokens', token: 'TOKEN_REPOSITORY', method: 'findById' };
  const requireTokens = (): TokenRepository<UserLike> =>
    dependencies.require<TokenRepository<UserLike>>(options.tokens, TOKEN_REPOSITORY, names);
  const tickets = credentials.some(isOfTickets) ? bindTickets(owner, options, dependencies) : undefined;
  const places = credentials.map((place): Place => {
    const lookUp: Place['lookUp'] =
      tickets !== undefined && isOfTickets(place)
        ? (ticket, lookUps) => tickets.lookUps.find(ticket, lookUps)
        : keyLookUp(place.carrier, requireTokens(), clock);
    return { ...place, lookUp };
  });
  const tokens = tickets === undefined ? requireTokens() : tickets.tokens;
  const bound: BoundSource = {
    source: 'token',
    madeBy: 'fromToken()',
    places: credentials,
    asks: [
      ...untilAsked(options.until),
      ...(tickets?.asks ?? [requireTokens()]),
      ...places.map(({ carrier, name, presents }) => `${presents ?? 'token'} ${carrier} ${name}`),
    ],
    find: (request, lookUps) => findUser(request, places, lookUps),
    ...(tokens !== undefined && { keys: { accepts: isTokenKey, find: keyLookUp(undefined, tokens, clock) } }),
    recheck: tickets?.lookUps.recheck ?? tokenRecheck(requireTokens()),
    revalidate: copyOfRevalidation(options.revalidate),
    feeds: tickets?.feeds ?? feedsOf(requireTokens()),
  };
  return endingAt(options.until, bound, clock);
}

/** What tickets are kept by and looked up through; of the repositories, those that there are. */
function bindTickets<User extends UserLike>(
  owner: string,
  options: TokenOptions<User>,
  dependencies: Dependencies,
): Required<Pick<BoundSource, 'asks' | 'feeds'>> & {
  readonly lookUps: TicketLookUps;
  readonly tokens: TokenRepository<UserLike> | undefined;
} {
  const named = (option: string, token: string, method: string): DependencyNames => ({ wrapper: owner, option, token, method });
  const store = dependencies.require(options.tickets, TICKET_STORE, named('tickets', 'TICKET_STORE', 'consume'));
  const tokenNames = named('tokens', 'TOKEN_REPOSITORY', 'findById');
  const users = dependencies.optional<UserRepository<UserLike>>(
    options.users,
    USER_REPOSITORY,
    named('users', 'USER_REPOSITORY', 'findById'),
  );
  const tokens = dependencies.optional<TokenRepository<UserLike>>(options.tokens, TOKEN_REPOSITORY, tokenNames);
  if (users === undefined && tokens === undefined) throw missing(tokenNames);
  const sessions = dependencies.optional(options.sessions, HTTP_SESSION_READER, named('sessions', 'HTTP_SESSION_READER', 'readById'));
  const lookUps = new TicketLookUps(owner, store, { tokens, users, sessions }, dependencies.clock);
  const repositories = [tokens, users, sessions];
  return { lookUps, tokens, asks: [store, ...repositories], feeds: feedsOf(...repositories.filter((one) => one !== undefined)) };
}
