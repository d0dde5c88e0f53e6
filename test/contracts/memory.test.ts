import { describe, it } from 'vitest';
import {
  MemoryBroadcaster,
  MemoryRevocationFeed,
  MemorySessionStore,
  MemoryTokenRepository,
  MemoryUserRepository,
} from '../../entries/memory.js';
import {
  broadcasterContract,
  type ContractTest,
  httpSessionReaderContract,
  revocationFeedContract,
  sessionStoreContract,
  ticketStoreContract,
  tokenIssuerContract,
  tokenRepositoryContract,
  userRepositoryContract,
} from '../../entries/testing.js';
import type { UserRepository } from '../../src/contracts/user-repository.js';
import { tokenIdOf } from '../../src/token-id.js';
import type { AuthenticatedUser } from '../../src/users.js';
import { httpSessionFixture, ticketFixture, tokenFixture, userFixture } from './memory-fixtures.js';

function suite(name: string, tests: readonly ContractTest[]): void {
  describe(name, () => {
    for (const test of tests) it(test.name, () => test.run());
  });
}

suite('MemorySessionStore', sessionStoreContract({ create: () => new MemorySessionStore() }));
const shared = new MemorySessionStore();
suite('MemorySessionStore, one for all tests', sessionStoreContract({ create: () => shared }));
suite('MemoryTokenRepository', tokenRepositoryContract({ create: () => tokenFixture() }));
suite('MemoryTokenRepository as issuer', tokenIssuerContract({ create: () => tokenFixture() }));
suite('MemoryTicketStore', ticketStoreContract({ create: () => ticketFixture() }));
suite('MemoryUserRepository', userRepositoryContract({ create: () => userFixture() }));
suite('MemoryHttpSessionReader', httpSessionReaderContract({ create: () => httpSessionFixture() }));

suite(
  'MemoryTokenRepository over users that are found one by one',
  tokenRepositoryContract({
    create() {
      const { addUser, removeUser, users: all } = userFixture(new MemoryUserRepository());
      const users: UserRepository<AuthenticatedUser> = { findById: (id) => all.findById(id) };
      const tokens = new MemoryTokenRepository({ users });
      return { tokens, addUser, removeUser, addToken: ({ key, id: _id, userId, ...options }) => tokens.add(key, userId, options) };
    },
  }),
);

suite(
  'MemoryRevocationFeed',
  revocationFeedContract({
    create() {
      const feed = new MemoryRevocationFeed();
      let count = 0;
      return {
        feed,
        logIn: () => undefined,
        async revokeToken() {
          count += 1;
          const tokenId = tokenIdOf(String(count).padStart(40, '0'));
          await feed.publish({ tokenId });
          return tokenId;
        },
      };
    },
  }),
);

suite(
  'MemoryBroadcaster',
  broadcasterContract({
    create() {
      const first = new MemoryBroadcaster();
      return { nodes: [first, new MemoryBroadcaster({ joins: first }), new MemoryBroadcaster({ joins: first })] };
    },
  }),
);
