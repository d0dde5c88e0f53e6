import type { Db } from 'mongodb';
import { type DependencyContainer, SESSION_STORE, TOKEN_REPOSITORY, USER_REPOSITORY } from '../../src/injection.js';
import { kindOf } from '../../src/kind-of.js';
import { checkDb } from './check-db.js';
import { type MongoSessionOptions, MongoSessionStore } from './mongo-session-store.js';
import { type MongoTokenOptions, MongoTokenRepository } from './mongo-token-repository.js';
import { MongoUserRepository } from './mongo-user-repository.js';
import type { MongoOptions } from './options.js';
import type { MongoUserOptions } from './users.js';

/** Options of {@link registerMongo}. `timeoutMs` and `clock` hold for all three unless one is given its own. */
export interface RegisterMongoOptions extends MongoOptions {
  /** The database, of a client that the application opens and closes. */
  readonly db: Db;
  /** Options of the tokens. */
  readonly tokens?: Omit<MongoTokenOptions, 'users'> | undefined;
  /** Where users are, for tokens and for look-ups by id alike. */
  readonly users?: MongoUserOptions | undefined;
  /** Options of the sessions. */
  readonly sessions?: MongoSessionOptions | undefined;
}

/** What {@link registerMongo} has registered. */
export interface RegisteredMongo extends AsyncDisposable {
  /** Finds users by token; issues and revokes tokens. */
  readonly tokens: MongoTokenRepository;
  readonly users: MongoUserRepository;
  readonly sessions: MongoSessionStore;
  /** Writes what is still to be written. Call it before the client is closed. */
  close(): Promise<void>;
}

/**
 * Registers tokens, users and sessions on MongoDB: one instance of each, under `TOKEN_REPOSITORY`, `USER_REPOSITORY` and `SESSION_STORE` and
 * under its own class.
 *
 * @throws {TypeError} when an option is missing or out of its range.
 */
export function registerMongo(container: DependencyContainer, options: RegisterMongoOptions): RegisteredMongo {
  if (typeof container?.register !== 'function') {
    throw new TypeError(`registerMongo: container must be a container of tsyringe, got ${kindOf(container)}`);
  }
  const { db, tokens, users, sessions, timeoutMs, clock } = options ?? {};
  checkDb('registerMongo', db);
  const shared = { timeoutMs, clock };
  const tokenRepository = new MongoTokenRepository(db, { ...shared, ...tokens, users });
  const userRepository = new MongoUserRepository(db, { ...shared, ...users });
  const sessionStore = new MongoSessionStore(db, { ...shared, ...sessions });
  container.register(TOKEN_REPOSITORY, { useFactory: () => tokenRepository });
  container.register(USER_REPOSITORY, { useFactory: () => userRepository });
  container.register(SESSION_STORE, { useFactory: () => sessionStore });
  container.register(MongoTokenRepository, { useFactory: () => tokenRepository });
  container.register(MongoUserRepository, { useFactory: () => userRepository });
  container.register(MongoSessionStore, { useFactory: () => sessionStore });
  return {
    tokens: tokenRepository,
    users: userRepository,
    sessions: sessionStore,
    close: () => tokenRepository.close(),
    [Symbol.asyncDispose]: () => tokenRepository.close(),
  };
}
