import { types } from 'node:util';
import { kindOf } from './kind-of.js';

/** @throws {TypeError} when `group` is no string or empty, or `data` neither a string nor bytes. */
export function checkBroadcast(owner: string, group: unknown, data: unknown): void {
  if (typeof group !== 'string' || group === '')
    throw new TypeError(`${owner}: group must be a string that is not empty, got ${kindOf(group)}`);
  if (typeof data !== 'string' && !types.isUint8Array(data)) {
    throw new TypeError(`${owner}: data must be a string or a Uint8Array, got ${kindOf(data)}`);
  }
}
