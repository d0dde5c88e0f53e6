import { types } from 'node:util';
import { kindOf } from './kind-of.js';

/**
 * A copy of a date.
 *
 * @throws {TypeError} when it is no `Date`, or an invalid one.
 */
export function checkedDate(owner: string, name: string, date: Date): Date {
  return new Date(checkedTime(owner, name, date));
}

/**
 * The time of a date, in milliseconds since the epoch.
 *
 * @throws {TypeError} when it is no `Date`, or an invalid one.
 */
export function checkedTime(owner: string, name: string, date: Date): number {
  // The method of the class, of whatever realm: one of the value's own could say another time each time it is asked.
  const time = types.isDate(date) ? Date.prototype.getTime.call(date) : Number.NaN;
  if (Number.isNaN(time)) {
    throw new TypeError(`${owner}: ${name} must be a valid Date, got ${types.isDate(date) ? 'an invalid one' : kindOf(date)}`);
  }
  return time;
}
