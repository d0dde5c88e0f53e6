import { tagged } from '../tagged.js';

/**
 * Completes the prototype of what handlers are given, whose members then stay as they are: to write one is a `TypeError`. What a handler or
 * a wrapper adds may have any name, such as `commit`, and where it came as JSON, even `__proto__`.
 *
 * It is not frozen: spies of tests copy what a member is defined as, and could not be taken off again.
 */
export function completePrototype(tag: string, prototype: object): void {
  const get = function (this: object): unknown {
    return Object.getPrototypeOf(this);
  };
  Object.defineProperty(tagged(tag, prototype), '__proto__', { get });
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (value !== undefined) Object.defineProperty(prototype, name, { writable: false });
  }
  Object.preventExtensions(prototype);
}
