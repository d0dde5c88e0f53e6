import assert from 'node:assert/strict';
import type { SessionStore, StoredSession } from '../../src/contracts/session-store.js';
import { assertRejects, fromNow, hourMs, outcomesOf, uniqueId } from './contract-samples.js';
import type { ContractCases } from './contract-test.js';
import { assertAbsent, assertHolds, expiredSession, sampleSession } from './session-samples.js';

/** So many writers go for one record at a time. */
const writers = 8;

/** What happens when several write: compare-and-set, and insert-only. */
export const sessionVersionCases: ContractCases<SessionStore> = {
  async 'create refuses an id that is taken, and leaves its record as it was'(store) {
    const id = uniqueId();
    const session = sampleSession({ first: true });
    await store.create(id, session);
    await assertRejects(store.create(id, sampleSession({ second: true })), 'ERR_SESSION_CONFLICT');
    await assertHolds(store, id, session);
  },
  async 'of several creations of one id at once exactly one succeeds'(store) {
    await checkOneCreationWins(store, uniqueId());
  },
  async 'of several that replace one expired record at once exactly one succeeds'(store) {
    const id = uniqueId();
    await store.create(id, expiredSession());
    await checkOneCreationWins(store, id);
  },
  async 'save replaces the whole record where its version is the expected one'(store) {
    const id = uniqueId();
    await store.create(id, sampleSession({ before: 1, both: 1 }));
    const saved = sampleSession({ both: 2, after: 2 }, { version: 2, expiresAt: fromNow(2 * hourMs) });
    await store.save(id, saved, 1);
    await assertHolds(store, id, saved);
  },
  async 'save refuses a version that is not the newest any more, and leaves the record as it was'(store) {
    const id = uniqueId();
    const newest = sampleSession({ by: 'the first' }, { version: 2 });
    await store.create(id, sampleSession());
    await store.save(id, newest, 1);
    await assertRejects(store.save(id, sampleSession({ by: 'the second' }, { version: 2 }), 1), 'ERR_SESSION_CONFLICT');
    await assertHolds(store, id, newest);
  },
  async 'save refuses a version that is yet to come'(store) {
    const id = uniqueId();
    const session = sampleSession();
    await store.create(id, session);
    await assertRejects(store.save(id, sampleSession({}, { version: 8 }), 7), 'ERR_SESSION_CONFLICT');
    await assertHolds(store, id, session);
  },
  async 'save never inserts'(store) {
    const id = uniqueId();
    await assertRejects(store.save(id, sampleSession({}, { version: 2 }), 1), 'ERR_SESSION_GONE');
    await assertRejects(store.save(id, sampleSession(), 0), 'ERR_SESSION_GONE');
    await assertAbsent(store, id);
  },
  'of several saves from one version at once exactly one succeeds, and the record is its': checkOneSaveWins,
  'writers who load and try again lose no change': checkNoChangeIsLost,
  async 'touch does not change the version: a save from before it still succeeds'(store) {
    const id = uniqueId();
    const saved = sampleSession({ saved: true }, { version: 2 });
    await store.create(id, sampleSession());
    await store.touch(id, fromNow(2 * hourMs));
    await store.save(id, saved, 1);
    await assertHolds(store, id, saved);
  },
  async 'a session created after destroy is not overwritten by a save that knew the one before'(store) {
    const id = uniqueId();
    const second = sampleSession({ second: true });
    await store.create(id, sampleSession());
    await store.save(id, sampleSession({}, { version: 2 }), 1);
    await store.destroy(id);
    await store.create(id, second);
    await assertRejects(store.save(id, sampleSession({}, { version: 3 }), 2), 'ERR_SESSION_CONFLICT');
    await assertHolds(store, id, second);
  },
  'a session created after destroy is not overwritten by one who knew the one before, though the versions are the same': checkBirth,
};

async function checkBirth(store: SessionStore): Promise<void> {
  const id = uniqueId();
  const second = sampleSession({ second: true }, { createdAt: fromNow(-500) });
  await store.create(id, sampleSession());
  await store.destroy(id);
  await store.create(id, second);
  await assertRejects(store.save(id, sampleSession({ first: true }, { version: 2 }), 1), 'ERR_SESSION_GONE');
  await assertRejects(store.save(id, sampleSession({ first: true }, { version: 6 }), 5), 'ERR_SESSION_GONE');
  await assertHolds(store, id, second);
  await store.save(id, { ...second, version: 2 }, 1);
  await assertHolds(store, id, { ...second, version: 2 });
}

async function checkOneCreationWins(store: SessionStore, id: string): Promise<void> {
  const sessions = Array.from({ length: writers }, (_, writer) => sampleSession({ writer }));
  const winner = await winnerOf(sessions, (session) => store.create(id, session));
  await assertHolds(store, id, winner);
}

async function checkOneSaveWins(store: SessionStore): Promise<void> {
  const id = uniqueId();
  await store.create(id, sampleSession());
  const sessions = Array.from({ length: writers }, (_, writer) => sampleSession({ writer }, { version: 2 }));
  const winner = await winnerOf(sessions, (session) => store.save(id, session, 1));
  await assertHolds(store, id, winner);
}

/** That of `sessions` which could be written; fails unless it is one, and for all others there was a conflict. */
async function winnerOf(sessions: readonly StoredSession[], write: (session: StoredSession) => Promise<void>): Promise<StoredSession> {
  const { values, codes } = await outcomesOf(
    sessions.map(async (session) => {
      await write(session);
      return session;
    }),
  );
  assert.equal(values.length, 1, 'exactly one must succeed');
  assert.deepEqual(codes, Array(sessions.length - 1).fill('ERR_SESSION_CONFLICT'));
  return values[0]!;
}

async function checkNoChangeIsLost(store: SessionStore): Promise<void> {
  const id = uniqueId();
  await store.create(id, sampleSession({ count: 0 }));
  const increment = async (): Promise<void> => {
    for (let attempt = 0; attempt <= writers; attempt += 1) {
      const current = await store.load(id);
      assert.ok(current, 'the session must be there');
      const data = { count: (current.data.count as number) + 1 };
      const { codes } = await outcomesOf([store.save(id, { ...current, data, version: current.version + 1 }, current.version)]);
      if (codes.length === 0) return;
      assert.deepEqual(codes, ['ERR_SESSION_CONFLICT']);
    }
    assert.fail('whoever loads and saves again must succeed as soon as the others are done');
  };
  await Promise.all(Array.from({ length: writers }, increment));
  const last = await store.load(id);
  assert.equal(last?.data.count, writers);
  assert.equal(last?.version, writers + 1);
}
