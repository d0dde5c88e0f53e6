import { types } from 'node:util';
import { kindOf } from './kind-of.js';
import { ignorePromise } from './maybe-promise.js';
import { isThrown } from './thrown.js';

/** What one message may be: text, or bytes of any kind. */
export type MessageData = string | ArrayBuffer | ArrayBufferView;

/** @throws {TypeError} naming `owner` when `data` is neither a string nor bytes. */
export function checkData(owner: string, data: unknown): asserts data is MessageData {
  if (typeof data !== 'string' && !ArrayBuffer.isView(data) && !types.isArrayBuffer(data)) {
    refusePromise(`${owner}: data`, data);
    throw new TypeError(`${owner}: data must be a string or bytes, got ${kindOf(data)}`);
  }
}

/** @throws {TypeError} where `value` is a promise, of whose rejection nobody else would hear. */
function refusePromise(what: string, value: unknown): void {
  if (!types.isPromise(value)) return;
  ignorePromise(value);
  throw new TypeError(`${what} must not be a promise: await it first`);
}

function stringified(owner: string, value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!isThrown(error, TypeError)) throw error; // what a toJSON throws is its own
    throw new TypeError(`${owner}: value must be one that JSON can hold: a BigInt, a cycle or something like that is in it`, {
      cause: error,
    });
  }
}

/** @throws {TypeError} naming `owner` when JSON cannot hold `value`, or would make `{}` of it since it is a promise. */
export function jsonOf(owner: string, value: unknown): string {
  const text = stringified(owner, value);
  if (text === '{}') refusePromise(`${owner}: value`, value); // which is what JSON makes of one
  if (text === undefined) throw new TypeError(`${owner}: value must be one that JSON can hold, got ${typeof value}`);
  return text;
}
