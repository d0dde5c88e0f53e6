import { checkedOptions } from './checked-options.js';
import type { ExtendOptions, RotateOptions } from './contracts/token-repository.js';
import { aSpan } from './time/time-spans.js';

/**
 * A checked copy of how a token is extended.
 *
 * @throws {TypeError} naming the option, what it expects and what it got.
 */
export function checkedExtendOptions(owner: string, options: ExtendOptions, now: number): Readonly<ExtendOptions> {
  return checkedOptions(owner, options, { ttlMs: aSpan(1, now), maxAgeMs: aSpan(1, 0) }, 'ttlMs');
}

/**
 * A checked copy of how a token is rotated.
 *
 * @throws {TypeError} naming the option, what it expects and what it got.
 */
export function checkedRotateOptions(owner: string, options: RotateOptions, now: number): Readonly<RotateOptions> {
  return checkedOptions(owner, options, { graceMs: aSpan(0, now), ttlMs: aSpan(1, now), maxAgeMs: aSpan(1, 0) }, 'graceMs');
}
