import { types } from 'node:util';

/** How an error names what it got, without showing it: it may be a secret. Of numbers it says which. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === '') return 'an empty string';
  if (typeof value === 'number') return String(value);
  if (types.isPromise(value)) return 'a promise';
  if (types.isDate(value)) return Number.isNaN(Date.prototype.getTime.call(value)) ? 'an invalid Date' : 'a Date';
  return Array.isArray(value) ? 'an array' : typeof value;
}
