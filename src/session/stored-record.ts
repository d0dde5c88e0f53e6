import { checkedTime } from '../checked-date.js';
import type { JsonValue, StoredSession } from '../contracts/session-store.js';
import { checkedContent } from './check-stored-session.js';
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
export function readRecord(stored: StoredSession): ReadRecord {
  const owner = 'a stored session';
  const { version, data } = checkedContent(owner, stored);
  const { createdAt, expiresAt } = stored;
  const values = Object.entries(data).map(([key, value]): [string, JsonValue] => [key, frozenJson(value, key)]);
  return {
    version,
    values: new Map(values),
    birth: checkedTime(owner, 'createdAt', createdAt),
    expiresAt: checkedTime(owner, 'expiresAt', expiresAt),
  };
}
