import type { JsonObject } from '../../src/contracts/session-store.js';
import { parsedObject } from '../../src/parsed-object.js';
import type { SessionRow } from '../../src/session/check-stored-session.js';
import type { ExpressStore } from './express-store.js';
import { expiryOf, sessionToStore } from './session-to-store.js';

/** The name under which a session holds the record. */
const recordKey = 'channelSession';

/** The format of records, should it ever change. */
const format = 1;

/** The record as a session to store. It is text: keys of the data could mean something to a database. */
export function sessionOf(store: ExpressStore, id: string, record: SessionRow): object {
  const { expiresAt } = record;
  const cookie = { path: '/', httpOnly: true, originalMaxAge: expiresAt - Date.now(), expires: new Date(expiresAt) };
  return sessionToStore(store, id, { [recordKey]: JSON.stringify({ format, ...record }) }, cookie);
}

/** The record that a stored session holds; `undefined` where it is none that can be read. */
export function recordIn(session: object): SessionRow | undefined {
  const record = checkedRecord(parsedObject(Reflect.get(session, recordKey)));
  if (record === undefined) return undefined;
  // a touch changes the cookie, with most stores
  return { ...record, expiresAt: expiryOf(session) ?? record.expiresAt };
}

function checkedRecord(found: JsonObject | undefined): SessionRow | undefined {
  if (found?.format !== format) return undefined;
  const { version, data, createdAt, expiresAt } = found as unknown as SessionRow;
  const isRecord = Number.isSafeInteger(version) && version > 0 && typeof data === 'object' && data !== null && !Array.isArray(data);
  return isRecord && isTime(createdAt) && isTime(expiresAt) ? { version, data, createdAt, expiresAt } : undefined;
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && !Number.isNaN(new Date(value).getTime());
}
