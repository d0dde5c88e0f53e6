import type { Clock } from '../../src/contracts/clock.js';

/** What these adapters need of a clock. */
export type WallClock = Pick<Clock, 'now'>;

/** How an error names a value that it must not show. */
export function kindOf(value: unknown): string {
  if (value === '') return 'an empty string';
  if (typeof value === 'number') return String(value);
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
}

/** The option `clock`, or the system's clock. */
export function clockOption(owner: string, clock: WallClock | undefined): WallClock {
  if (clock === undefined) return Date;
  if (typeof clock?.now !== 'function') throw new TypeError(`${owner}: clock must have a method now(), got ${kindOf(clock)}`);
  return clock;
}

/** Refuses anything but a string that is not empty. */
export function checkId(owner: string, name: string, id: unknown): asserts id is string {
  if (typeof id !== 'string' || id === '') throw new TypeError(`${owner}: ${name} must be a string that is not empty, got ${kindOf(id)}`);
}

/** Latest moment that a `Date` can hold (ECMA-262, section 21.4.1.1). */
const latestTime = 8.64e15;

/** Refuses a life that is no whole number of milliseconds, or ends later than a `Date` can say. */
export function checkTtl(owner: string, ttlMs: unknown, now: number): asserts ttlMs is number {
  if (!Number.isInteger(ttlMs) || (ttlMs as number) < 1 || now + (ttlMs as number) > latestTime) {
    throw new TypeError(`${owner}: ttlMs must be an integer of at least 1 that ends at a valid date, got ${kindOf(ttlMs)}`);
  }
}
