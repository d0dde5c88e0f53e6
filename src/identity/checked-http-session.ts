import { types } from 'node:util';
import type { HttpSession } from '../contracts/http-session-reader.js';
import { kindOf, kindOfSecret } from '../kind-of.js';

function isIdIfAny(id: unknown): boolean {
  return id === undefined || (typeof id === 'string' && id !== '');
}

/**
 * `session` itself, if it is one, or `undefined` where there is none: what says nothing clear about its user must neither authenticate nor
 * make anybody anonymous.
 *
 * @throws {TypeError} naming the method that returned it and what is wrong with it.
 */
export function checkedHttpSession(session: unknown, method: string): HttpSession | undefined {
  if (session === undefined || session === null) return undefined;
  if (typeof session !== 'object' || Array.isArray(session) || types.isPromise(session)) {
    throw new TypeError(`${method} returned ${kindOf(session)} where an HTTP session is { id, userId, data, save }`);
  }
  const { id, userId } = session as Partial<HttpSession>;
  if (!isIdIfAny(id)) throw new TypeError(`${method} returned an HTTP session whose id is not a string, or is empty: ${kindOfSecret(id)}`);
  if (userId !== null && !isIdIfAny(userId))
    throw new TypeError(`${method} returned an HTTP session whose userId is not a string, or is empty: ${kindOf(userId)}`);
  return session as HttpSession;
}
