import { aListOfStrings, aString, checkedOptions, type Rules } from './checked-options.js';
import type { IssueOptions } from './contracts/token-repository.js';
import { aSpan } from './time/time-spans.js';

/** What the options must be with which a token is issued at `now`. */
export function issueRules(now: number): Rules<IssueOptions> {
  return { ttlMs: aSpan(1, now), label: aString, scopes: aListOfStrings };
}

/**
 * A checked copy of what a token is issued with. One that there is not is refused: a mistyped `ttlMs` would make a token that never
 * expires.
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
