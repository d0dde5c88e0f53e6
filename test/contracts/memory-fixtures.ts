import {
  MemoryHttpSessionReader,
  MemoryTicketStore,
  type MemoryTicketStoreOptions,
  MemoryTokenRepository,
  type MemoryTokenRepositoryOptions,
  MemoryUserRepository,
} from '../../entries/memory.js';
import {
  type HttpSessionReaderFixture,
  TestClock,
  type TicketStoreFixture,
  type TokenIssuerFixture,
  type UserRepositoryFixture,
} from '../../entries/testing.js';
import type { AuthenticatedUser } from '../../src/users.js';

/** Users that a suite adds and removes. */
export function userFixture(users: MemoryUserRepository<AuthenticatedUser> = new MemoryUserRepository()): UserRepositoryFixture {
  let added = 0;
  return {
    users,
    addUser() {
      added += 1;
      const id = `user-${added}`;
      users.set({ id, isAuthenticated: true });
      return id;
    },
    removeUser: (id) => void users.delete(id),
  };
}

/** Tokens in memory, of `Repository`. */
export function tokenFixture(
  Repository: new (
    options: MemoryTokenRepositoryOptions<AuthenticatedUser>,
  ) => MemoryTokenRepository<AuthenticatedUser> = MemoryTokenRepository,
): TokenIssuerFixture {
  const { users, addUser, removeUser } = userFixture();
  const tokens = new Repository({ users });
  const addToken: TokenIssuerFixture['addToken'] = ({ key, userId, createdAt, expiresAt, revokedAt, scopes }) =>
    tokens.add(key, userId, { createdAt, expiresAt, revokedAt, scopes });
  return { tokens, issuer: tokens, addUser, removeUser, addToken };
}

/** HTTP sessions in memory, of `Reader`. */
export function httpSessionFixture(Reader: typeof MemoryHttpSessionReader = MemoryHttpSessionReader): HttpSessionReaderFixture {
  const sessions = new Reader({ cookie: 'sessionid' });
  return {
    sessions,
    createSession(userId, data) {
      const id = sessions.create(userId, data);
      return { id, cookie: `sessionid=${id}` };
    },
    destroySession: ({ id }) => sessions.destroy(id!),
  };
}

/** Tickets in memory, of `Store`, with a clock that is moved by hand. */
export function ticketFixture(Store: new (options: MemoryTicketStoreOptions) => MemoryTicketStore = MemoryTicketStore): TicketStoreFixture {
  const clock = new TestClock(Date.now());
  return { tickets: new Store({ clock }), advance: (ms) => clock.advance(ms) };
}
