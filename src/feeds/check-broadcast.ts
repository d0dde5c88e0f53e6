import { types } from 'node:util';
import { aName, checkOption } from '../checked-options.js';
import { kindOf } from '../kind-of.js';

/** @throws {TypeError} when `group` is no string or empty, or `data` neither a string nor bytes. */
export function checkBroadcast(owner: string, group: unknown, data: unknown): void {
  checkOption(owner, 'group', group, aName);
  if (typeof data !== 'string' && !types.isUint8Array(data)) {
    throw new TypeError(`${owner}: data must be a string or a Uint8Array, got ${kindOf(data)}`);
  }
}
