import assert from 'node:assert/strict';
import type { JsonObject, SessionStore, StoredSession } from '../../src/contracts/session-store.js';
import { assertSameJson, assertSameTime, fromNow, hourMs } from './contract-samples.js';

/** One for all samples: a save that gives another one means another record. */
const birth = Date.now() - 1000;

/** A session that lives for an hour, at version 1, but for what `differences` say. */
export function sampleSession(data: JsonObject = { rooms: ['lobby'] }, differences: Partial<StoredSession> = {}): StoredSession {
  return { version: 1, data, createdAt: new Date(birth), expiresAt: fromNow(hourMs), ...differences };
}

/** A session whose time was over an hour ago. */
export function expiredSession(): StoredSession {
  return sampleSession({ old: true }, { expiresAt: fromNow(-hourMs) });
}

/** Fails unless the store holds exactly `expected` under `id`. */
export async function assertHolds(store: SessionStore, id: string, expected: StoredSession): Promise<void> {
  const loaded = await store.load(id);
  assert.ok(loaded, 'the session must be there');
  assert.equal(loaded.version, expected.version, 'another version');
  assertSameJson(loaded.data, expected.data);
  assertSameTime(loaded.createdAt, expected.createdAt, 'createdAt');
  assertSameTime(loaded.expiresAt, expected.expiresAt, 'expiresAt');
}

/** Fails if the store gives anything for `id`. */
export async function assertAbsent(store: SessionStore, id: string): Promise<void> {
  assert.equal(await store.load(id), undefined, 'no session must be there');
}
