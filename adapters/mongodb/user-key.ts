import { Long, ObjectId } from 'mongodb';

/** A user's key as the database holds it, or as its driver was told to read it. */
export type UserKey = string | number | bigint | ObjectId | Long;

/** Whether a value is a user's key. Of nothing, lists and other objects there is a string too, and it could be somebody's id. */
export function isUserKey(value: unknown): value is UserKey {
  if (typeof value === 'number') return Number.isSafeInteger(value);
  return (typeof value === 'string' && value !== '') || typeof value === 'bigint' || isObjectId(value) || Long.isLong(value);
}

/** An id of whichever copy of the driver has read it. */
function isObjectId(value: unknown): value is ObjectId {
  const { _bsontype: type, toHexString } = (value ?? {}) as { readonly _bsontype?: unknown; readonly toHexString?: unknown };
  return type === 'ObjectId' && typeof toHexString === 'function';
}

/** The id of the user with this key; `undefined` where it is none. */
export function userIdOf(key: unknown): string | undefined {
  return isUserKey(key) ? String(key) : undefined;
}

/** The values that a user's key may have in the database if its string is `id`. */
export function keysOf(id: string): UserKey[] {
  const keys: UserKey[] = [id];
  if (/^[0-9a-f]{24}$/.test(id)) keys.push(ObjectId.createFromHexString(id));
  if (/^(0|-?[1-9]\d{0,18})$/.test(id)) {
    const long = Long.fromString(id);
    if (Number.isSafeInteger(Number(id))) keys.push(Number(id));
    else if (long.toString() === id) keys.push(long); // one that is too large would become another user's
  }
  return keys;
}
