import { kindOfSecret } from '../kind-of.js';
import { type AnyHandler, checkedHandler, madeWrapper } from './made-function.js';

/**
 * Makes the function behind a wrapper. This is the one place that knows the shapes in which it may be called:
 *
 * - `withX(handler)`
 * - `withX()` and `withX(options)`
 * - `@withX` on a method, as a standard decorator `(method, context)`
 * - `@withX` on a method under `experimentalDecorators`, `(target, key, descriptor)`
 *
 * @param wrap what to do with a handler.
 * @param configure what to do with options, or with none.
 */
export function callShapes(
  name: string,
  wrap: (handler: AnyHandler) => AnyHandler,
  configure: (options: object | undefined) => unknown,
): unknown {
  return madeWrapper(name, (first?: unknown, second?: unknown, third?: unknown): unknown => {
    if (typeof second === 'string' || typeof second === 'symbol') {
      const method: unknown = (third as PropertyDescriptor | undefined)?.value;
      if (typeof method !== 'function') throw new TypeError(`@${name} stands on methods only; ${String(second)} is not one`);
      return { ...(third as PropertyDescriptor), value: wrap(checkedHandler(`@${name}: ${String(second)}`, method)) };
    }
    if (typeof second === 'object' && second !== null && 'kind' in second) {
      const member = 'name' in second ? String(second.name) : 'what it stands on';
      if (second.kind !== 'method') throw new TypeError(`@${name} stands on methods only; ${member} is a ${String(second.kind)}`);
      return wrap(checkedHandler(`@${name}: ${member}`, first));
    }
    if (typeof first === 'function') return wrap(checkedHandler(`${name}: what it wraps`, first));
    if (first === undefined || (typeof first === 'object' && first !== null)) return configure(first);
    throw new TypeError(`${name} takes a handler or options, got ${kindOfSecret(first)}`);
  });
}

/** How one made wrapper (its options given) turns a handler into another. */
export type Make = (options: unknown) => (handler: AnyHandler) => AnyHandler;

/** All call shapes of a wrapper whose options `prepare` checks and copies. */
export function configurable(name: string, prepare: (given: object | undefined) => unknown, make: Make): unknown {
  const configure = (given: object | undefined): unknown => callShapes(name, make(prepare(given)), configure);
  let bare: ((handler: AnyHandler) => AnyHandler) | undefined; // made at first use: a wrapper nobody calls bare prepares nothing
  return callShapes(
    name,
    (handler) => {
      bare ??= make(prepare(undefined));
      return bare(handler);
    },
    configure,
  );
}
