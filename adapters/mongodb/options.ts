import type { Clock } from '../../src/contracts/clock.js';
import { kindOf } from '../../src/kind-of.js';
import { systemClock } from '../../src/system-clock.js';

/** Options that the repositories and the store on MongoDB share. */
export interface MongoOptions {
  /**
   * After how many milliseconds an operation is given up, whatever state the connection is in; an integer of at least 1, below the
   * server's `connectTimeoutMs`.
   *
   * @default 3_000
   */
  readonly timeoutMs?: number | undefined;
  /** Tells the time and runs the timers. @default the machine's clock */
  readonly clock?: Clock | undefined;
}

/** @throws {TypeError} unless `value` is a string with something in it. */
export function checkName(owner: string, name: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new TypeError(`${owner}: ${name} must be a non-empty string, got ${kindOf(value)}`);
  return value;
}

/** @throws {TypeError} unless `value` is an integer from `min` to `max`. */
export function checkInteger(owner: string, name: string, value: number, min: number, max: number = 2_147_483_647): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new TypeError(`${owner}: ${name} must be an integer from ${min} to ${max}, got ${kindOf(value)}`);
  }
  return value;
}

/** @throws {TypeError} unless `clock`, where there is one, is a clock. */
export function checkClock(owner: string, clock: Clock | undefined): Clock {
  if (clock === undefined) return systemClock;
  if (typeof clock?.now !== 'function' || typeof clock.setTimer !== 'function') {
    throw new TypeError(`${owner}: clock must be a Clock with now() and setTimer(), got ${kindOf(clock)}`);
  }
  return clock;
}
