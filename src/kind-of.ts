import { types } from 'node:util';
import { ignore } from './maybe-promise.js';

/**
 * How an error names what it got, without showing it: it may be a secret. Of numbers it says which. Of a promise that is refused, for want
 * of an `await`, nobody else would hear the rejection, and the process would end by it.
 */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === '') return 'an empty string';
  if (typeof value === 'number') return String(value);
  if (types.isPromise(value)) {
    ignore(value);
    return 'a promise';
  }
  if (types.isDate(value)) return Number.isNaN(Date.prototype.getTime.call(value)) ? 'an invalid Date' : 'a Date';
  return Array.isArray(value) ? 'an array' : typeof value;
}

/**
 * {@link kindOf} what may be a secret whatever it is, as a key may that its client has not quoted in JSON: nor does it say which number it
 * got.
 */
export function kindOfSecret(value: unknown): string {
  return typeof value === 'number' ? 'a number' : kindOf(value);
}
