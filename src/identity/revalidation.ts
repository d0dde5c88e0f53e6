import type { Rule } from '../checked-options.js';
import { maxTimerMs } from '../time/system-clock.js';

/**
 * How often the server looks up again whether a channel's credential is still valid:
 *
 * - `'connect'`: never by the clock; only when a revocation feed hints at it, and right before a token ends
 * - `{ everyMs }`: at this interval in milliseconds, for all live channels in one sweep
 * - `'message'`: before each receive handler, and once a minute for silent channels
 */
export type Revalidate = 'connect' | 'message' | { readonly everyMs: number };

/** How often a sweep comes, in milliseconds, unless an option says otherwise. */
export const defaultSweepMs = 60_000;

function isInterval(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Object.keys(value).some((name) => name !== 'everyMs')) return false;
  const { everyMs } = value as { readonly everyMs?: unknown };
  return typeof everyMs === 'number' && everyMs >= 1 && everyMs <= maxTimerMs;
}

/** What an option `revalidate` must be. */
export const aRevalidation: Rule = {
  must: `'connect', 'message' or { everyMs } of 1 to ${maxTimerMs} milliseconds`,
  accepts: (value) => value === 'connect' || value === 'message' || isInterval(value),
};

/** A copy that nobody changes. */
export function copyOfRevalidation(given: Revalidate | undefined): Revalidate | undefined {
  return typeof given === 'object' ? Object.freeze({ everyMs: given.everyMs }) : given;
}

/** How many milliseconds lie between two sweeps; `undefined` where there are none. */
export function sweepMsOf(revalidate: Revalidate): number | undefined {
  if (revalidate === 'connect') return undefined;
  return revalidate === 'message' ? defaultSweepMs : revalidate.everyMs;
}

/** The stricter of two. */
export function stricter(one: Revalidate | undefined, other: Revalidate | undefined): Revalidate | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  if (one === 'message' || other === 'message') return 'message';
  return (sweepMsOf(one) ?? Number.POSITIVE_INFINITY) <= (sweepMsOf(other) ?? Number.POSITIVE_INFINITY) ? one : other;
}
