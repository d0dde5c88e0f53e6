import { checkedTime } from '../checked-date.js';
import type { JsonValue, StoredSession } from '../contracts/session-store.js';
import { frozenJson } from './json-value.js';
import type { Snapshot } from './session-data.js';

/** A record as it was read from a store, checked. */
export interface ReadRecord {
  readonly version: number;
  readonly values: Snapshot;
  /** When it was created, in milliseconds since the epoch. */
  readonly birth: number;
  readonly expiresAt: number;
}

/**
 * What a store gave, checked: whoever else writes there may have left anything.
 *
 * @throws {TypeError} when it is no record of a session.
 */
export function readRecord({ version, data, createdAt, expiresAt }: StoredSession): ReadRecord {
  if (!Number.isSafeInteger(version) || version < 1) throw new TypeError('version must be an integer of at least 1');
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw new TypeError('data must be an object');
  const values = Object.entries(data).map(([key, value]): [string, JsonValue] => [key, frozenJson(value, key)]);
  return {
    version,
    values: new Map(values),
    birth: checkedTime('a stored session', 'createdAt', createdAt),
    expiresAt: checkedTime('a stored session', 'expiresAt', expiresAt),
  };
}
