import { checkedTime } from '../checked-date.js';
import type { JsonObject, StoredSession } from '../contracts/session-store.js';
import { kindOf } from '../kind-of.js';
import { freezeJson, frozenJson } from './json-value.js';

/** A session as a store keeps it, with its times as numbers: a `Date` that was handed out can be changed, a number cannot. */
export interface SessionRow extends Pick<StoredSession, 'version' | 'data'> {
  /** In milliseconds since the epoch. */
  readonly createdAt: number;
  readonly expiresAt: number;
}

/**
 * A checked, frozen copy of a session, as a store keeps it. Its data hold only JSON, and its dates are copies.
 *
 * @param owner what was called, e.g. `'MySessionStore.save'`.
 * @throws {TypeError} when `version` is not an integer of at least 1, `data` is not an object that JSON can hold, or a date is missing or
 * invalid.
 */
export function checkStoredSession(owner: string, session: StoredSession): StoredSession {
  return Object.freeze(storedSessionOf(checkedRow(owner, session)));
}

/** The session that a row holds, with dates of its own. */
export function storedSessionOf({ version, data, createdAt, expiresAt }: SessionRow): StoredSession {
  return { version, data, createdAt: new Date(createdAt), expiresAt: new Date(expiresAt) };
}

/**
 * The same of a row whose values were frozen here: its data are frozen, too, now that somebody gets them. Of most rows nobody ever does.
 */
export function frozenSessionOf(row: SessionRow): StoredSession {
  freezeJson(row.data);
  return storedSessionOf(row);
}

/**
 * A checked copy of a session, its data deeply frozen.
 *
 * @throws {TypeError} as {@link checkStoredSession} does.
 */
export function checkedRow(owner: string, session: StoredSession): SessionRow {
  const { version, data } = checkedContent(owner, session);
  const { createdAt, expiresAt } = session;
  return {
    version,
    data: frozenJson(data, `${owner}: data`) as JsonObject,
    createdAt: checkedTime(owner, 'createdAt', createdAt),
    expiresAt: checkedTime(owner, 'expiresAt', expiresAt),
  };
}

/**
 * Version and data of `session`; what the data hold is not looked at.
 *
 * @throws {TypeError} when `session` is not an object, its `version` not an integer of at least 1, or its `data` not an object.
 */
export function checkedContent(owner: string, session: StoredSession): Pick<StoredSession, 'version' | 'data'> {
  if (typeof session !== 'object' || session === null) throw new TypeError(`${owner}: session must be an object, got ${kindOf(session)}`);
  const { version, data } = session;
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new TypeError(`${owner}: version must be an integer of at least 1, got ${kindOf(version)}`);
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw new TypeError(`${owner}: data must be an object, got ${kindOf(data)}`);
  }
  return { version, data };
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
