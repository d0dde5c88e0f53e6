import { isValidDateIfAny } from '../checked-date.js';
import { kindOf, kindOfSecret } from '../kind-of.js';

/** What a client is told of a token. */
export interface AnsweredToken {
  readonly key: string;
  readonly expiresAt: Date | undefined;
}

/**
 * The key and the end in what an issuer answered: the client keeps what it is told, so it is told nothing but these.
 *
 * @throws {TypeError} naming the method that returned it and what is wrong with it.
 */
export function checkedToken(issued: unknown, method: string): AnsweredToken {
  if (typeof issued !== 'object' || issued === null)
    throw new TypeError(`${method} must return a token with its key, got ${kindOf(issued)}`);
  const { key, expiresAt } = issued as Readonly<Partial<Record<keyof AnsweredToken, unknown>>>;
  return { key: checkedKey(key, `${method}: key`), expiresAt: checkedEnd(expiresAt, `${method}: expiresAt`) };
}

/**
 * A key or a ticket, which clients can present again.
 *
 * @throws {TypeError} when it is none.
 */
export function checkedKey(key: unknown, what: string): string {
  if (typeof key === 'string' && key !== '') return key;
  throw new TypeError(`${what} must be a non-empty string, got ${kindOfSecret(key)}`);
}

/** @throws {TypeError} when it is neither a valid date nor nothing. */
export function checkedEnd(end: unknown, what: string): Date | undefined {
  if (isValidDateIfAny(end)) return end ?? undefined;
  throw new TypeError(`${what} must be a valid Date or not at all, got ${kindOf(end)}`);
}
