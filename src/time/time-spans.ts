import { checkOption, type Rule } from '../checked-options.js';

/** A day, in milliseconds. */
export const dayMs: number = 24 * 60 * 60 * 1000;

/** The longest life that an option gives tokens and sessions, in milliseconds: 100 years. Dates end some time after. */
export const maxTtlMs: number = 100 * 365 * dayMs;

/** Latest moment that a `Date` can hold (ECMA-262, section 21.4.1.1). */
export const latestTime = 8.64e15;

/** A whole number of milliseconds of at least `min` that, counted from `start`, ends at what a `Date` can hold. */
export function aSpan(min: number, start: number): Rule {
  return {
    must: `an integer of at least ${min} that ends at a valid date`,
    accepts: (value) => Number.isInteger(value) && (value as number) >= min && start + (value as number) <= latestTime,
  };
}

/**
 * Refuses a life that is no whole number of milliseconds, or ends later than a `Date` can say.
 *
 * @throws {TypeError} when it is one.
 */
export function checkTtl(owner: string, ttlMs: unknown, now: number): asserts ttlMs is number {
  checkOption(owner, 'ttlMs', ttlMs, aSpan(1, now));
}
