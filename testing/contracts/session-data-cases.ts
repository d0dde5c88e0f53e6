import assert from 'node:assert/strict';
import type { JsonObject, SessionStore, StoredSession } from '../../src/contracts/session-store.js';
import { assertNothingPolluted, fromNow, hourMs, inheritedNames, tryToChange, uniqueId } from './contract-samples.js';
import type { ContractCases } from './contract-test.js';
import { assertAbsent, assertHolds, sampleSession } from './session-samples.js';

/** Values that stores are known to bend. */
const awkwardData: JsonObject = {
  text: 'a"b\\c\n\t<é> 漢字 👩‍👩‍👧 \u2028 \u0000',
  numbers: [0, -1, 0.1, 1e21, 5e-324, 2 ** 31, 2 ** 53 - 1, -(2 ** 53 - 1)],
  nothing: [null, false, '', [], {}],
  named: { none: null, no: false, zero: 0, text: '', list: [], object: {} },
  nested: { list: [[['deep']], { inner: { innermost: true } }] },
  time: '2026-01-01T00:00:00.000Z',
  id: '507f1f77bcf86cd799439011',
};
/** Keys that mean something to databases or to JavaScript. Parsed, since a literal `__proto__` sets the prototype. */
const awkwardKeys: JsonObject = JSON.parse(
  '{"":1,"a.b":2,"$set":3,"0":4,"key with spaces":5,"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},' +
    '"toString":6,"length":7,"_id":8,"inner":{"__proto__":{"admin":true},"$where":9,"a.b":10}}',
);
const printable = ' !"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

/** What happens to ids and data on the way in and out. */
export const sessionDataCases: ContractCases<SessionStore> = {
  async 'any data that JSON can hold comes back unchanged'(store) {
    await checkRoundTrip(store, uniqueId(), sampleSession(awkwardData));
  },
  async 'empty data comes back empty'(store) {
    await checkRoundTrip(store, uniqueId(), sampleSession({}));
  },
  async 'a hundred kilobytes come back unchanged'(store) {
    await checkRoundTrip(store, uniqueId(), sampleSession({ text: 'é'.repeat(50_000) }));
  },
  async 'keys such as __proto__, constructor or a.b are data like any others, and change no object'(store) {
    await checkRoundTrip(store, uniqueId(), sampleSession(awkwardKeys));
    assertNothingPolluted();
  },
  async 'data that is deeply frozen is stored like any other'(store) {
    const data = Object.freeze({ rooms: Object.freeze(['lobby']) });
    await checkRoundTrip(store, uniqueId(), Object.freeze(sampleSession(data)));
  },
  async 'changing what was given to create or save does not change the record'(store) {
    const id = uniqueId();
    const given = sampleSession({ rooms: ['lobby'] });
    await store.create(id, given);
    change(given);
    const saved = sampleSession({ rooms: ['lobby', 'kitchen'] }, { version: 2 });
    const kept = structuredClone(saved);
    await store.save(id, saved, 1);
    change(saved);
    await assertHolds(store, id, kept);
  },
  async 'changing what load gave does not change the record'(store) {
    const id = uniqueId();
    const session = sampleSession({ rooms: ['lobby'] });
    await store.create(id, session);
    const loaded = await store.load(id);
    assert.ok(loaded, 'the session must be there');
    change(loaded);
    await assertHolds(store, id, session);
  },
  'ids are told apart to the last character, by case too, and may hold any printable character': checkIds,
  'nothing is found under names that every object has, and they serve as ids like any others': checkInheritedNames,
};

/** Through create, and through save as well. */
async function checkRoundTrip(store: SessionStore, id: string, session: StoredSession): Promise<void> {
  await store.create(id, session);
  await assertHolds(store, id, session);
  const saved = { ...session, version: 2 };
  await store.save(id, saved, 1);
  await assertHolds(store, id, saved);
}

/** Changes whatever of the session can be changed. */
function change(session: StoredSession): void {
  const { data } = session as { data: Record<string, unknown> };
  tryToChange(() => (data.rooms as string[]).push('vault'));
  tryToChange(() => {
    data.admin = true;
  });
  session.expiresAt.setTime(0);
  session.createdAt.setTime(0);
  tryToChange(() => {
    (session as { version: number }).version = 99;
  });
}

async function checkIds(store: SessionStore): Promise<void> {
  const id = `a${uniqueId().slice(1)}`;
  // what patterns and paths are made of is looked for, and must not be found elsewhere
  const patterns = [id, ...['*', '?', '.', '%', '_', '%41', '.*'].map((end) => `${id}${end}`)];
  const others = [id.toUpperCase(), `${id}A`, id.slice(0, -1), `${id}${printable}`, `${printable}${id}`];
  for (const character of printable) {
    for (const each of [`${id}${character}`, `${character}${id}`]) if (!patterns.includes(each)) others.push(each);
  }
  const sessions = new Map([...patterns, ...others].map((each, index) => [each, sampleSession({ index })]));
  await Promise.all(Array.from(sessions, ([each, session]) => store.create(each, session)));
  await Promise.all(Array.from(sessions, ([each, session]) => assertHolds(store, each, session)));
  for (const each of patterns) {
    await store.touch(each, fromNow(2 * hourMs));
    await store.destroy(each);
  }
  await Promise.all(patterns.map((each) => assertAbsent(store, each)));
  await Promise.all(others.map((each) => assertHolds(store, each, sessions.get(each)!)));
}

async function checkInheritedNames(store: SessionStore): Promise<void> {
  const session = sampleSession({ admin: true });
  for (const name of inheritedNames) {
    await store.destroy(name);
    await assertAbsent(store, name);
    await store.create(name, session);
    await assertHolds(store, name, session);
    assertNothingPolluted();
    await store.destroy(name);
    await assertAbsent(store, name);
  }
}
