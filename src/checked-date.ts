import { types } from 'node:util';
import { kindOf } from './kind-of.js';

/** Whether `value` is a `Date`, of whatever realm, and a valid one. */
export function isValidDate(value: unknown): value is Date {
  // the method of the class: one of the value's own could say another time each time it is asked
  return types.isDate(value) && !Number.isNaN(Date.prototype.getTime.call(value));
}

/** The same, or nothing; `null` stands for that in rows of databases. */
export function isValidDateIfAny(value: unknown): value is Date | null | undefined {
  return value == null || isValidDate(value);
}

/**
 * A copy of a date.
 *
 * @throws {TypeError} when it is no `Date`, or an invalid one.
 */
export function checkedDate(owner: string, name: string, date: unknown): Date {
  return new Date(checkedTime(owner, name, date));
}

/**
 * The time of a date, in milliseconds since the epoch.
 *
 * @throws {TypeError} when it is no `Date`, or an invalid one.
 */
export function checkedTime(owner: string, name: string, date: unknown): number {
  if (isValidDate(date)) return Date.prototype.getTime.call(date);
  throw new TypeError(`${owner}: ${name} must be a valid Date, got ${kindOf(date)}`);
}
