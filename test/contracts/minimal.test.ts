import { expect, it } from 'vitest';
import { ChannelError } from '../../entries/index.js';
import { MemorySessionStore } from '../../entries/memory.js';
import {
  httpSessionReaderContract,
  type SampleHttpSession,
  sessionStoreContract,
  tokenRepositoryContract,
  userRepositoryContract,
} from '../../entries/testing.js';
import type { HttpSession } from '../../src/contracts/http-session-reader.js';
import { failingTests } from './failing-tests.js';
import { httpSessionFixture, tokenFixture, userFixture } from './memory-fixtures.js';

it('a session store without touchMany fulfils the contract', async () => {
  const tests = sessionStoreContract({
    create: () => Object.assign(new MemorySessionStore(), { touchMany: undefined as never }),
  });
  expect(await failingTests(tests)).toEqual([]);
});

it('a token repository that finds one by one, and drops tokens that have ended, fulfils the contract', async () => {
  const tests = tokenRepositoryContract({
    create() {
      const { tokens, ...fixture } = tokenFixture();
      return {
        ...fixture,
        tokens: {
          async findById(id) {
            const grant = await tokens.findById(id);
            const ended = grant?.expiresAt ?? grant?.revokedAt;
            return ended && ended.getTime() <= Date.now() ? undefined : grant;
          },
        },
      };
    },
  });
  expect(await failingTests(tests)).toEqual([]);
});

it('a user repository that finds one by one fulfils the contract', async () => {
  const tests = userRepositoryContract({
    create() {
      const { users, ...fixture } = userFixture();
      return { ...fixture, users: { findById: (id) => users.findById(id) } };
    },
  });
  expect(await failingTests(tests)).toEqual([]);
});

it('an HTTP session reader of a site that keeps its ids to itself fulfils the contract, with readByIds and without', async () => {
  for (const readByIds of [undefined, async () => new Map<string, HttpSession>()]) {
    const tests = httpSessionReaderContract({
      create() {
        const { sessions, createSession, destroySession } = httpSessionFixture();
        return {
          sessions: {
            async read(request) {
              const session = await sessions.read(request);
              return session && withoutId(session);
            },
            readById: async () => undefined,
            ...(readByIds ? { readByIds } : {}),
          },
          createSession: async (userId, data) => ({ ...(await createSession(userId, data)), id: undefined }),
          destroySession: ({ cookie }: SampleHttpSession) => destroySession({ cookie, id: cookie.slice('sessionid='.length) }),
        };
      },
    });
    expect(await failingTests(tests)).toEqual([]);
  }
});

it('an HTTP session reader of a site whose sessions can only be read fulfils the contract', async () => {
  const save = async (): Promise<never> => {
    throw new ChannelError('ERR_HTTP_SESSION_READ_ONLY', 'The site alone writes its sessions.');
  };
  const tests = httpSessionReaderContract({
    create() {
      const { sessions, ...fixture } = httpSessionFixture();
      const readOnly = (session: HttpSession | undefined): HttpSession | undefined =>
        session && { id: session.id, userId: session.userId, data: session.data, save };
      return {
        ...fixture,
        sessions: {
          read: async (request) => readOnly(await sessions.read(request)),
          readById: async (id) => readOnly(await sessions.readById(id)),
        },
      };
    },
  });
  expect(await failingTests(tests)).toEqual([]);
});

function withoutId(session: HttpSession): HttpSession {
  const { userId, data } = session;
  const save = (): Promise<void> => {
    session.data = without.data;
    return session.save();
  };
  const without: HttpSession = { id: undefined, userId, data, save };
  return without;
}
