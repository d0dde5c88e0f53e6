import { MemoryStore } from 'express-session';
import { describe, it } from 'vitest';
import { ExpressSessionReader, ExpressSessionStore } from '../../../entries/express.js';
import { type ContractTest, httpSessionReaderContract, sessionStoreContract, TestClock } from '../../../entries/testing.js';
import { expectProcessToLive } from '../../support/site.js';
import { readerFixture, sessionMiddleware } from './express-site.js';
import { FaultyStore } from './faulty-store.js';

expectProcessToLive();

function suite(name: string, tests: readonly ContractTest[]): void {
  describe(name, () => {
    for (const test of tests) it(test.name, () => test.run());
  });
}

/** What fails is what middleware asks and what the reader asks alike. */
function failingFixture(down: 'down' | 'throws') {
  const store = new FaultyStore();
  const clock = new TestClock();
  const sessions = new ExpressSessionReader(sessionMiddleware({ store }), { store, clock, timeoutMs: 100 });
  const fail = (fault: FaultyStore['fault']) => () => {
    store.fault = fault;
  };
  return readerFixture(sessions, store, {
    down: fail(down),
    hang: fail('hangs'),
    giveUp: () => clock.advance(500),
    answer: () => store.answer(),
  });
}

suite('ExpressSessionReader over a store that answers with errors', httpSessionReaderContract({ create: () => failingFixture('down') }));
suite('ExpressSessionReader over a store that throws', httpSessionReaderContract({ create: () => failingFixture('throws') }));
suite('ExpressSessionStore over a MemoryStore', sessionStoreContract({ create: () => new ExpressSessionStore(new MemoryStore()) }));

/** As connect-redis does: what is stored stays as it was, and only lives longer. */
class SilentTouchStore extends MemoryStore {
  readonly #ends = new Map<string, number>();

  override touch(id: string, session: { cookie: { expires?: Date | null | undefined } }, callback?: () => void): void {
    this.#ends.set(id, session.cookie.expires?.getTime() ?? 0);
    setImmediate(() => callback?.());
  }

  override get(id: string, callback: Parameters<MemoryStore['get']>[1]): void {
    if ((this.#ends.get(id) ?? Number.POSITIVE_INFINITY) <= Date.now()) super.destroy(id);
    super.get(id, callback);
  }

  override destroy(id: string, callback?: (error?: unknown) => void): void {
    this.#ends.delete(id);
    super.destroy(id, callback);
  }
}

suite(
  'ExpressSessionStore over a store whose touch does not change what is stored',
  sessionStoreContract({ create: () => new ExpressSessionStore(new SilentTouchStore()), weaker: ['touched-expiry'] }),
);

/** The least that a store for express-session has. */
function leastStore() {
  const store = new MemoryStore();
  const { get, set, destroy } = store;
  return { get: get.bind(store), set: set.bind(store), destroy: destroy.bind(store) };
}

suite('ExpressSessionStore over three functions', sessionStoreContract({ create: () => new ExpressSessionStore(leastStore()) }));
