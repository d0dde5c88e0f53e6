import type { SessionStore } from '../../src/contracts/session-store.js';
import { assertRefuses, badIds, badLists } from './bad-arguments.js';
import { fromNow, hourMs, uniqueId } from './contract-samples.js';
import type { ContractCases } from './contract-test.js';
import { assertAbsent, assertHolds, sampleSession } from './session-samples.js';

/** What is refused before anything is asked or written. */
export const sessionArgumentCases: ContractCases<SessionStore> = {
  'what is no id is a TypeError in every method, and harms no record': checkBadIds,
  'what is no session is a TypeError in create and save, and leaves the record as it was': checkBadSessions,
  async 'what is no valid date is a TypeError in touch and touchMany, and leaves the record as it was'(store) {
    const id = uniqueId();
    const session = sampleSession();
    await store.create(id, session);
    await assertRefuses((expiresAt) => store.touch(id, expiresAt), badDates());
    if (store.touchMany) await assertRefuses(async (expiresAt) => store.touchMany?.([id], expiresAt), badDates());
    await assertHolds(store, id, session);
  },
};

async function checkBadIds(store: SessionStore): Promise<void> {
  const id = uniqueId();
  const session = sampleSession();
  const expiresAt = fromNow(2 * hourMs);
  await store.create(id, session);
  const bad = badIds(id);
  await assertRefuses((each) => store.load(each), bad);
  await assertRefuses((each) => store.create(each, session), bad);
  await assertRefuses((each) => store.save(each, { ...session, version: 2 }, 1), bad);
  await assertRefuses((each) => store.touch(each, expiresAt), bad);
  await assertRefuses((each) => store.destroy(each), bad);
  const { touchMany } = store;
  if (touchMany) await assertRefuses((each) => touchMany.call(store, each, expiresAt), badLists(id, bad));
  await assertHolds(store, id, session);
}

async function checkBadSessions(store: SessionStore): Promise<void> {
  const [id, fresh] = [uniqueId(), uniqueId()];
  const session = sampleSession();
  await store.create(id, session);
  await assertRefuses((each) => store.create(fresh, each), badSessions(1));
  await assertRefuses((each) => store.save(id, each, 1), badSessions(2));
  await assertRefuses(
    (each) => store.save(id, { ...session, version: 2 }, each),
    [undefined, null, '1', 1.5, -1, Number.NaN, 1n, { $gt: 0 }],
  );
  await assertAbsent(store, fresh);
  await assertHolds(store, id, session);
}

function badDates(): readonly unknown[] {
  const time = Date.now() + hourMs;
  return [
    new Date(Number.NaN),
    time,
    new Date(time).toISOString(),
    null,
    undefined,
    { getTime: () => time },
    Object.create(Date.prototype),
  ];
}

function badSessions(version: number): readonly unknown[] {
  const good = { ...sampleSession(), version };
  class Data {
    readonly rooms = [];
  }
  const badData = [
    null,
    undefined,
    'rooms',
    7,
    [],
    new Data(),
    new Date(),
    new Map(),
    { at: new Date() },
    { run() {} },
    { n: Number.NaN },
    { n: 1n },
  ];
  return [
    null,
    undefined,
    'session',
    ...[0, -1, 1.5, '1', null, undefined, Number.NaN, 2 ** 53, { $inc: 1 }].map((bad) => ({ ...good, version: bad })),
    ...badData.map((data) => ({ ...good, data })),
    ...badDates().flatMap((date) => [
      { ...good, createdAt: date },
      { ...good, expiresAt: date },
    ]),
  ];
}
