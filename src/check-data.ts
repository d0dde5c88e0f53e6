import { types } from 'node:util';
import { kindOf } from './kind-of.js';

/** What one message may be: text, or bytes. */
export type MessageData = string | Uint8Array | ArrayBuffer;

/** @throws {TypeError} naming `owner` when `data` is neither a string nor bytes. */
export function checkData(owner: string, data: unknown): asserts data is MessageData {
  if (typeof data !== 'string' && !ArrayBuffer.isView(data) && !types.isArrayBuffer(data)) {
    throw new TypeError(`${owner}: data must be a string or bytes, got ${kindOf(data)}`);
  }
}

/** @throws {TypeError} naming `owner` when JSON cannot hold `value`. */
export function jsonOf(owner: string, value: unknown): string {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`${owner}: value must be one that JSON can hold, got ${typeof value}`);
  return text;
}
