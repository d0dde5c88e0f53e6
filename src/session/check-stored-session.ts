import { checkedDate } from '../checked-date.js';
import type { JsonObject, StoredSession } from '../contracts/session-store.js';
import { kindOf } from '../kind-of.js';
import { frozenJson } from './json-value.js';

/**
 * A checked, frozen copy of a session, as a store keeps it. Its data hold only JSON, and its dates are copies.
 *
 * @param owner what was called, e.g. `'MySessionStore.save'`.
 * @throws {TypeError} when `version` is not an integer of at least 1, `data` is not an object that JSON can hold, or a date is missing or invalid.
 */
export function checkStoredSession(owner: string, session: StoredSession): StoredSession {
  if (typeof session !== 'object' || session === null) throw new TypeError(`${owner}: session must be an object, got ${kindOf(session)}`);
  const { version, data, createdAt, expiresAt } = session;
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new TypeError(`${owner}: version must be an integer of at least 1, got ${kindOf(version)}`);
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw new TypeError(`${owner}: data must be an object, got ${kindOf(data)}`);
  }
  return Object.freeze({
    version,
    data: frozenJson(data, `${owner}: data`) as JsonObject,
    createdAt: checkedDate(owner, 'createdAt', createdAt),
    expiresAt: checkedDate(owner, 'expiresAt', expiresAt),
  });
}

/**
 * Refuses what is no version that a save can expect.
 *
 * @throws {TypeError} when it is no integer of at least 0.
 */
export function checkExpectedVersion(owner: string, version: unknown): asserts version is number {
  if (Number.isSafeInteger(version) && (version as number) >= 0) return;
  throw new TypeError(`${owner}: expectedVersion must be an integer of at least 0, got ${kindOf(version)}`);
}
