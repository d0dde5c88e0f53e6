import { ignorePromise } from './maybe-promise.js';

/**
 * A copy of the data of an HTTP session.
 *
 * @throws {TypeError} when there is something in them that nobody can copy, such as a function.
 */
export function copyOfData<Data>(owner: string, data: Data): Data {
  try {
    return structuredClone(data);
  } catch (cause) {
    ignorePromise(data);
    throw new TypeError(`${owner}: data must be what structuredClone can copy, got something else in it`, { cause });
  }
}
