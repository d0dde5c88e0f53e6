import { markCopy } from '../package-copy.js';
import { tagged } from '../tagged.js';

/**
 * Completes the prototype of all messages, whose members then stay as they are: to write one is a `TypeError`. What a wrapper adds to a message may have
 * any name, such as `commit`, and where it came as JSON, even `__proto__`.
 */
export function completeMessages(prototype: object): void {
  const get = function (this: object): unknown {
    return Object.getPrototypeOf(this);
  };
  Object.freeze(Object.defineProperty(tagged('Message', markCopy(prototype)), '__proto__', { get }));
}
