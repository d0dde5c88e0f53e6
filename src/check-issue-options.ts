import type { IssueOptions } from './contracts/token-repository.js';
import { kindOf } from './kind-of.js';

/** Latest moment that a `Date` can hold (ECMA-262, section 21.4.1.1). */
export const latestTime = 8.64e15;

/**
 * A checked copy of what a token is issued with.
 *
 * @throws {TypeError} naming the option, what it expects and what it got.
 */
export function checkIssueOptions(owner: string, options: IssueOptions, now: number): IssueOptions {
  if (typeof options !== 'object' || options === null) throw new TypeError(`${owner}: options must be an object, got ${kindOf(options)}`);
  const { ttlMs, label, scopes } = options;
  if (ttlMs !== undefined) checkTtl(owner, ttlMs, now);
  if (label !== undefined && typeof label !== 'string') throw new TypeError(`${owner}: label must be a string, got ${kindOf(label)}`);
  return { ttlMs, label, scopes: scopes === undefined ? undefined : checkedScopes(owner, scopes) };
}

/**
 * Refuses a life that is no whole number of milliseconds, or ends later than a `Date` can say.
 *
 * @throws {TypeError} when it is one.
 */
export function checkTtl(owner: string, ttlMs: unknown, now: number): asserts ttlMs is number {
  if (!Number.isInteger(ttlMs) || (ttlMs as number) < 1 || now + (ttlMs as number) > latestTime) {
    throw new TypeError(`${owner}: ttlMs must be an integer of at least 1 that ends at a valid date, got ${kindOf(ttlMs)}`);
  }
}

/** A frozen copy, holes of the array included: they are no strings. */
function checkedScopes(owner: string, scopes: readonly string[]): readonly string[] {
  const copy: readonly unknown[] = Array.isArray(scopes) ? Array.from<unknown>(scopes) : [undefined];
  if (!copy.every((scope): scope is string => typeof scope === 'string')) {
    throw new TypeError(`${owner}: scopes must be an array of strings, got ${Array.isArray(scopes) ? 'another array' : kindOf(scopes)}`);
  }
  return Object.freeze(copy);
}
