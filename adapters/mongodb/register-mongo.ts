import type { Db } from 'mongodb';
import { anything, checkedOptions, checkOption, having, type Rules } from '../../src/checked-options.js';
import type { RevocationFeed } from '../../src/contracts/revocation-feed.js';
import {
  type DependencyContainer,
  REVOCATION_FEED,
  registerInstance,
  SESSION_STORE,
  TICKET_STORE,
  TOKEN_REPOSITORY,
  USER_REPOSITORY,
} from '../../src/injection.js';
import { timedRules } from '../../src/time/timed-options.js';
import { checkDb } from './check-db.js';
import { FeedWherePossible } from './feed-where-possible.js';
import { MongoBroadcaster, type MongoBroadcasterOptions } from './mongo-broadcaster.js';
import { checkUsersBeside, collectionRules } from './mongo-collections.js';
import { MongoRevocationFeed, type MongoRevocationFeedOptions } from './mongo-revocation-feed.js';
import { type MongoSessionOptions, MongoSessionStore } from './mongo-session-store.js';
import { type MongoTicketOptions, MongoTicketStore } from './mongo-ticket-store.js';
import { type MongoTokenOptions, MongoTokenRepository } from './mongo-token-repository.js';
import { MongoUserRepository } from './mongo-user-repository.js';
import type { MongoOptions } from './options.js';
import type { MongoUserOptions } from './user-documents.js';

/** Options of {@link registerMongo}. `timeoutMs` and `clock` hold for all of them unless one is given its own. */
export interface RegisterMongoOptions extends MongoOptions {
  /** The database, of a client that the application opens and closes. */
  readonly db: Db;
  /** Options of the tokens. */
  readonly tokens?: Omit<MongoTokenOptions, 'users'> | undefined;
  /** Where users are, for tokens and for look-ups by id alike. */
  readonly users?: MongoUserOptions | undefined;
  /** Options of the sessions. */
  readonly sessions?: MongoSessionOptions | undefined;
  /** Options of the tickets. */
  readonly tickets?: MongoTicketOptions | undefined;
  /** Options of the broadcaster. */
  readonly broadcasts?: MongoBroadcasterOptions | undefined;
  /**
   * Whether a {@link MongoRevocationFeed} is registered. With `true`, or its options, it demands a replica set: subscribing to it fails
   * without one. With `false` none is registered.
   *
   * @default one that, without a replica set, warns once and tells nothing
   */
  readonly feed?: boolean | Omit<MongoRevocationFeedOptions, 'tokens' | 'users'> | undefined;
}

const owner = 'registerMongo';
const rules: Rules<RegisterMongoOptions> = {
  ...timedRules,
  ...collectionRules,
  db: anything, // looked at by itself
};

/** What {@link registerMongo} has registered. */
export interface RegisteredMongo extends AsyncDisposable {
  /** Finds users by token; issues and revokes tokens. */
  readonly tokens: MongoTokenRepository;
  readonly users: MongoUserRepository;
  readonly sessions: MongoSessionStore;
  readonly tickets: MongoTicketStore;
  /** Carries the messages of groups, if you give it to `Groups`; it needs a replica set. */
  readonly broadcaster: MongoBroadcaster;
  /** Tells what other processes and programs end; `undefined` with `feed: false`. */
  readonly feed: RevocationFeed | undefined;
  /** Writes what is still to be written. Call it before the client is closed. */
  close(): Promise<void>;
}

/**
 * Registers tokens, users, sessions, tickets and the feed of revocations on MongoDB: one instance of each, under `TOKEN_REPOSITORY`,
 * `USER_REPOSITORY`, `SESSION_STORE`, `TICKET_STORE` and `REVOCATION_FEED`, and under its own class; a broadcaster for `Groups` under its
 * class.
 *
 * @throws {TypeError} when an option is missing or out of its range.
 */
export function registerMongo(container: DependencyContainer, options: RegisterMongoOptions): RegisteredMongo {
  checkOption(owner, 'container', container, having('a container of tsyringe', 'register'));
  const { db, tokens, users, sessions, tickets, broadcasts, feed, timeoutMs, clock } = checkedOptions(owner, options, rules);
  checkUsersBeside(owner, tokens, users);
  checkDb(owner, db);
  const shared = { timeoutMs, clock };
  const revocations = feedOf(db, feed, { ...shared, tokens: tokens?.collection, users });
  const tokenRepository = new MongoTokenRepository(db, { ...shared, ...tokens, cache: cacheOf(tokens?.cache, revocations), users });
  const userRepository = new MongoUserRepository(db, { ...shared, ...users });
  const sessionStore = new MongoSessionStore(db, { ...shared, ...sessions });
  const ticketStore = new MongoTicketStore(db, { ...shared, ...tickets });
  const broadcaster = new MongoBroadcaster(db, { ...shared, ...broadcasts });
  registerInstance(container, tokenRepository, TOKEN_REPOSITORY, MongoTokenRepository);
  registerInstance(container, userRepository, USER_REPOSITORY, MongoUserRepository);
  registerInstance(container, sessionStore, SESSION_STORE, MongoSessionStore);
  registerInstance(container, ticketStore, TICKET_STORE, MongoTicketStore);
  registerInstance(container, broadcaster, MongoBroadcaster);
  if (revocations) registerInstance(container, revocations, REVOCATION_FEED);
  return {
    tokens: tokenRepository,
    users: userRepository,
    sessions: sessionStore,
    tickets: ticketStore,
    broadcaster,
    feed: revocations,
    close: () => tokenRepository.close(),
    [Symbol.asyncDispose]: () => tokenRepository.close(),
  };
}

function feedOf(db: Db, feed: RegisterMongoOptions['feed'], shared: MongoRevocationFeedOptions): RevocationFeed | undefined {
  if (feed === false) return undefined;
  const demanding = new MongoRevocationFeed(db, { ...shared, ...(typeof feed === 'object' && feed) });
  return feed === undefined ? new FeedWherePossible(demanding) : demanding;
}

/** The cache heeds the feed, unless it was given one of its own. */
function cacheOf(cache: MongoTokenOptions['cache'], feed: RevocationFeed | undefined): MongoTokenOptions['cache'] {
  if (cache === true) return { feed };
  return typeof cache === 'object' && cache !== null ? { feed, ...cache } : cache;
}
