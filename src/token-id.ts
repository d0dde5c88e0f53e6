import { hash } from 'node:crypto';
import { kindOf } from './kind-of.js';

declare const tokenIdBrand: unique symbol;

/** The id of a token: the 64 hexadecimal digits of its key's SHA-256. The only form in which a token is ever stored. */
export type TokenId = string & { readonly [tokenIdBrand]: true };

const keyPattern = /^[A-Za-z0-9._~+/=-]{16,512}$/;

/** Whether `key` has the type, length and alphabet of a token's key: 16 to 512 characters of `[A-Za-z0-9._~+/=-]`. */
export function isTokenKey(key: unknown): key is string {
  return typeof key === 'string' && keyPattern.test(key);
}

/**
 * The id of the token whose key is `key`.
 *
 * @throws {TypeError} when `key` is no string of 16 to 512 characters of `[A-Za-z0-9._~+/=-]`. The message does not hold the key.
 */
export function tokenIdOf(key: string): TokenId {
  if (!isTokenKey(key)) {
    const got = typeof key === 'string' ? `a string of ${(key as string).length} characters` : kindOf(key);
    throw new TypeError(`tokenIdOf: key must be 16 to 512 characters of [A-Za-z0-9._~+/=-], got ${got} that is not`);
  }
  return hash('sha256', key, 'hex') as TokenId;
}
