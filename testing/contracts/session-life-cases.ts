import type { SessionStore, StoredSession } from '../../src/contracts/session-store.js';
import { assertRejects, fromNow, hourMs, uniqueId } from './contract-samples.js';
import type { ContractCases } from './contract-test.js';
import { assertAbsent, assertHolds, expiredSession, sampleSession } from './session-samples.js';

/** Touching, by a store whose records show it. */
export const touchCases: ContractCases<SessionStore> = {
  'touch changes expiresAt and nothing else': (store) => checkTouch(store, false),
  'touchMany, where there is one, does the same for several records and creates or revives none': (store) => checkTouchMany(store, false),
};

/** Touching, by a store whose records live on and show it no sooner than with the next save. */
export const weakerTouchCases: ContractCases<SessionStore> = {
  'touch keeps the record as it was, its expiresAt included or not (weaker)': (store) => checkTouch(store, true),
  'touchMany, where there is one, does the same for several records and creates or revives none (weaker)': (store) =>
    checkTouchMany(store, true),
};

/** How a record comes into being, is kept alive, and ends. */
export const sessionLifeCases: ContractCases<SessionStore> = {
  async 'load gives undefined for an id that was never created'(store) {
    await assertAbsent(store, uniqueId());
  },
  async 'load gives what create was given, the times as dates'(store) {
    const id = uniqueId();
    const session = sampleSession();
    await store.create(id, session);
    await assertHolds(store, id, session);
  },
  async 'load does not give an expired record, removed or not'(store) {
    const id = uniqueId();
    await store.create(id, expiredSession());
    await assertAbsent(store, id);
  },
  async 'create replaces an expired record'(store) {
    const id = uniqueId();
    const session = sampleSession();
    await store.create(id, expiredSession());
    await store.create(id, session);
    await assertHolds(store, id, session);
  },
  async 'touch can end a record at once'(store) {
    const id = uniqueId();
    await store.create(id, sampleSession());
    await store.touch(id, fromNow(-hourMs));
    await assertAbsent(store, id);
  },
  async 'touch does nothing for an id that was never created'(store) {
    const id = uniqueId();
    await store.touch(id, fromNow(hourMs));
    await assertAbsent(store, id);
  },
  async 'touch does not revive a destroyed record'(store) {
    const id = uniqueId();
    await store.create(id, sampleSession());
    await store.destroy(id);
    await store.touch(id, fromNow(hourMs));
    await assertAbsent(store, id);
  },
  async 'touch does not revive an expired record'(store) {
    const id = uniqueId();
    await store.create(id, expiredSession());
    await store.touch(id, fromNow(hourMs));
    await assertAbsent(store, id);
  },
  async 'destroy removes the record, and that one alone'(store) {
    const [id, other] = [uniqueId(), uniqueId()];
    const session = sampleSession();
    await store.create(id, session);
    await store.create(other, session);
    await store.destroy(id);
    await assertAbsent(store, id);
    await assertHolds(store, other, session);
  },
  async 'destroy does nothing where there is no record'(store) {
    const id = uniqueId();
    await store.create(id, sampleSession());
    await store.destroy(id);
    await store.destroy(id);
    await store.destroy(uniqueId());
    await assertAbsent(store, id);
  },
  async 'create works again after destroy'(store) {
    const id = uniqueId();
    const session = sampleSession({ second: true });
    await store.create(id, sampleSession());
    await store.destroy(id);
    await store.create(id, session);
    await assertHolds(store, id, session);
  },
  async 'save does not revive a destroyed record'(store) {
    const id = uniqueId();
    await store.create(id, sampleSession());
    await store.destroy(id);
    await assertRejects(store.save(id, sampleSession({}, { version: 2 }), 1), 'ERR_SESSION_GONE');
    await assertAbsent(store, id);
  },
  async 'save does not revive an expired record'(store) {
    const id = uniqueId();
    await store.create(id, expiredSession());
    await assertRejects(store.save(id, sampleSession({}, { version: 2 }), 1), 'ERR_SESSION_GONE');
    await assertAbsent(store, id);
  },
};

/** @param mayLag whether the record may show its former `expiresAt`. */
async function checkTouch(store: SessionStore, mayLag: boolean): Promise<void> {
  const id = uniqueId();
  const session = sampleSession();
  const expiresAt = fromNow(2 * hourMs);
  await store.create(id, session);
  await store.touch(id, expiresAt);
  await assertTouched(store, id, session, { expiresAt, mayLag });
}

async function assertTouched(
  store: SessionStore,
  id: string,
  session: StoredSession,
  { expiresAt, mayLag }: { readonly expiresAt: Date; readonly mayLag: boolean },
): Promise<void> {
  const shown = (await store.load(id))?.expiresAt.getTime();
  const isFormer = mayLag && shown === session.expiresAt.getTime();
  await assertHolds(store, id, isFormer ? session : { ...session, expiresAt });
}

async function checkTouchMany(store: SessionStore, mayLag: boolean): Promise<void> {
  if (!store.touchMany) return;
  const [first, second, left, destroyed, expired, unknown] = Array.from({ length: 6 }, uniqueId) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const session = sampleSession();
  const expiresAt = fromNow(2 * hourMs);
  for (const id of [first, second, left, destroyed]) await store.create(id, session);
  await store.create(expired, expiredSession());
  await store.destroy(destroyed);
  await store.touchMany([first, destroyed, expired, unknown, second], expiresAt);
  await store.touchMany([], expiresAt);
  for (const id of [first, second]) await assertTouched(store, id, session, { expiresAt, mayLag });
  await assertHolds(store, left, session);
  for (const id of [destroyed, expired, unknown]) await assertAbsent(store, id);
}
