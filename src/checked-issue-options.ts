import { aListOfStrings, aString, checkedOptions, checkOption, type Rule, type Rules } from './checked-options.js';
import type { IssueOptions } from './contracts/token-repository.js';

/** Latest moment that a `Date` can hold (ECMA-262, section 21.4.1.1). */
export const latestTime = 8.64e15;

/** A whole number of milliseconds of at least `min` that, counted from `start`, ends at what a `Date` can hold. */
export function aSpan(min: number, start: number): Rule {
  return {
    must: `an integer of at least ${min} that ends at a valid date`,
    accepts: (value) => Number.isInteger(value) && (value as number) >= min && start + (value as number) <= latestTime,
  };
}

/** What the options must be with which a token is issued at `now`. */
export function issueRules(now: number): Rules<IssueOptions> {
  return { ttlMs: aSpan(1, now), label: aString, scopes: aListOfStrings };
}

/**
 * A checked copy of what a token is issued with. One that there is not is refused: a mistyped `ttlMs` would make a token that never expires.
 *
 * @throws {TypeError} naming the option, what it expects and what it got.
 */
export function checkedIssueOptions(owner: string, options: IssueOptions, now: number): IssueOptions {
  const { ttlMs, label, scopes } = checkedOptions(owner, options, issueRules(now));
  return { ttlMs, label, scopes: copyOfScopes(scopes) };
}

/** A frozen copy. */
export function copyOfScopes(scopes: readonly string[] | undefined): readonly string[] | undefined {
  return scopes && Object.freeze([...scopes]);
}

/**
 * Refuses a life that is no whole number of milliseconds, or ends later than a `Date` can say.
 *
 * @throws {TypeError} when it is one.
 */
export function checkTtl(owner: string, ttlMs: unknown, now: number): asserts ttlMs is number {
  checkOption(owner, 'ttlMs', ttlMs, aSpan(1, now));
}
