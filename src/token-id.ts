import { hash } from 'node:crypto';
import { checkedList } from './check-id.js';
import { kindOfSecret } from './kind-of.js';

declare const tokenIdBrand: unique symbol;

/** The id of a token: the 64 hexadecimal digits of its key's SHA-256. The only form in which a token is ever stored. */
export type TokenId = string & { readonly [tokenIdBrand]: true };

// what is foreign is found in a quarter of the time that it takes to match what is not
const foreignToId = /[^0-9a-f]/;
const foreignToKey = /[^\w.~+/=-]/;

/** Whether `key` has the type, length and alphabet of a token's key: 16 to 512 characters of `[A-Za-z0-9._~+/=-]`. */
export function isTokenKey(key: unknown): key is string {
  return typeof key === 'string' && key.length >= 16 && key.length <= 512 && !foreignToKey.test(key);
}

/**
 * The id of the token whose key is `key`.
 *
 * @throws {TypeError} when `key` is no string of 16 to 512 characters of `[A-Za-z0-9._~+/=-]`. The message does not hold the key.
 */
export function tokenIdOf(key: string): TokenId {
  if (!isTokenKey(key)) {
    const got = typeof key === 'string' ? `a string of ${(key as string).length} characters` : kindOfSecret(key);
    throw new TypeError(`tokenIdOf: key must be 16 to 512 characters of [A-Za-z0-9._~+/=-], got ${got} that is not`);
  }
  return digestOf(key);
}

/** What {@link tokenIdOf} makes of `text`, which is not looked at: it is known to be a key, or stands for one. */
export function digestOf(text: string): TokenId {
  return hash('sha256', text, 'hex') as TokenId;
}

/** Whether `id` has the shape of a token's id: 64 lower-case hexadecimal digits. */
export function isTokenId(id: unknown): id is TokenId {
  return typeof id === 'string' && id.length === 64 && !foreignToId.test(id);
}

/**
 * Refuses anything but a token's id. An object in a query would mean what its sender likes, so adapters call this before they ask their
 * database.
 *
 * @param owner what was called, e.g. `'MyTokenRepository.findById'`.
 * @param name the argument's name.
 * @throws {TypeError} when `id` is anything but a string of 64 lower-case hexadecimal digits. The message does not show it.
 */
export function checkTokenId(owner: string, name: string, id: unknown): asserts id is TokenId {
  if (isTokenId(id)) return;
  const got = typeof id === 'string' && id !== '' ? `a string of ${id.length} characters that is none` : kindOfSecret(id);
  throw new TypeError(`${owner}: ${name} must be a token's id, 64 lower-case hexadecimal digits as tokenIdOf(key) gives them, got ${got}`);
}

/**
 * A checked copy of a list of tokens' ids.
 *
 * @throws {TypeError} when it is no array, or one of its elements is no id of a token.
 */
export function checkedTokenIds(owner: string, ids: readonly TokenId[]): readonly TokenId[] {
  return checkedList(owner, ids, (id, name) => checkTokenId(owner, name, id));
}
