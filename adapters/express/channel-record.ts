import type { JsonObject, StoredSession } from '../../src/contracts/session-store.js';
import { parsedObject } from '../../src/parsed-object.js';
import type { ExpressStore } from './express-store.js';
import { expiryOf, sessionToStore } from './session-to-store.js';

/** A channel session in a store for express-session; its times are in milliseconds. */
export interface ChannelRecord {
  readonly version: number;
  readonly data: JsonObject;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** The name under which a session holds the record. */
const recordKey = 'channelSession';

/** The format of records, should it ever change. */
const format = 1;

export function recordOf({ version, data, createdAt, expiresAt }: StoredSession): ChannelRecord {
  return { version, data, createdAt: createdAt.getTime(), expiresAt: expiresAt.getTime() };
}

export function storedSessionOf({ version, data, createdAt, expiresAt }: ChannelRecord): StoredSession {
  return { version, data, createdAt: new Date(createdAt), expiresAt: new Date(expiresAt) };
}

/** The record as a session to store. It is text: keys of the data could mean something to a database. */
export function sessionOf(store: ExpressStore, id: string, record: ChannelRecord): object {
  const { expiresAt } = record;
  const cookie = { path: '/', httpOnly: true, originalMaxAge: expiresAt - Date.now(), expires: new Date(expiresAt) };
  return sessionToStore(store, id, { [recordKey]: JSON.stringify({ format, ...record }) }, cookie);
}

/** The record that a stored session holds; `undefined` where it is none that can be read. */
export function recordIn(session: object): ChannelRecord | undefined {
  const record = checkedRecord(parsedObject(Reflect.get(session, recordKey)));
  if (record === undefined) return undefined;
  // a touch changes the cookie, with most stores
  return { ...record, expiresAt: expiryOf(session) ?? record.expiresAt };
}

function checkedRecord(found: JsonObject | undefined): ChannelRecord | undefined {
  if (found?.format !== format) return undefined;
  const { version, data, createdAt, expiresAt } = found as unknown as ChannelRecord;
  const isRecord = Number.isSafeInteger(version) && version > 0 && typeof data === 'object' && data !== null && !Array.isArray(data);
  return isRecord && isTime(createdAt) && isTime(expiresAt) ? { version, data, createdAt, expiresAt } : undefined;
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && !Number.isNaN(new Date(value).getTime());
}
