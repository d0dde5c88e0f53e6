import { kindOf } from '../kind-of.js';
import { checkCopy, markCopy } from '../package-copy.js';
import { carryRequirements, type Requirement } from './requirements.js';

/** A handler as the run time sees it. */
export type AnyHandler = (this: unknown, message: object, ...args: unknown[]) => unknown;

/** What a function of this package is: a wrapper, a handler that one made, or what must be called to get either. */
export type Role = 'wrapper' | 'handler' | 'factory';

const role: unique symbol = Symbol('ws-with.role');

function mark<Target extends object>(target: Target, value: Role): Target {
  return markCopy(Object.defineProperty(target, role, { value }));
}

/** What `value` is, where this package made it. */
export function roleOf(value: object): Role | undefined {
  return (value as { readonly [role]?: Role })[role];
}

/** Gives `target` the name that stack traces show. */
function named<Target extends object>(name: string, target: Target): Target {
  return Object.defineProperty(target, 'name', { value: name, configurable: true });
}

/** `target` as a wrapper called `name`. */
export function madeWrapper<Target extends object>(name: string, target: Target): Target {
  return mark(named(name, target), 'wrapper');
}

/** `target` as a handler called `name`, whose wrapper needs `own` of a server, and what is inside it `inner`. */
export function madeHandler<Target extends object>(
  name: string,
  target: Target,
  own: readonly Requirement[],
  inner: readonly Requirement[],
): Target {
  return carryRequirements(mark(named(name, target), 'handler'), own, inner);
}

/** Marks functions that are to be called before there is a wrapper or a handler: one forgotten call, and they would stand in its place. */
export function markFactories(...factories: readonly object[]): void {
  for (const factory of factories) mark(factory, 'factory');
}

/** The name of `handler` once `wrapper` has wrapped it, as stack traces show it. */
export function nameAround(wrapper: string, handler: AnyHandler): string {
  return `${wrapper}(${handler.name || 'handler'})`;
}

/**
 * `value` itself.
 *
 * @param what names it in the error.
 * @throws {TypeError} when it is no handler: no function, a class, a wrapper without its handler, or a generator function, of which nothing
 * would run.
 */
export function checkedHandler(what: string, value: unknown): AnyHandler {
  if (typeof value !== 'function') throw new TypeError(`${what} must be a function, got ${kindOf(value)}`);
  checkCopy(what, value);
  const made = roleOf(value);
  if (made === 'wrapper') {
    throw new TypeError(`${what} must be a handler, got the wrapper ${value.name} without one: write ${value.name}(handler)`);
  }
  if (made === 'factory') {
    throw new TypeError(
      `${what} must be a handler, got ${value.name} itself: call it first, as in ${value.name}(…), and see what it takes`,
    );
  }
  // by its tag, which bound functions and other realms have too
  const [, tag] = /^\[object (?:Async)?(Generator)Function\]$/.exec(Object.prototype.toString.call(value)) ?? [];
  if (tag !== undefined) {
    throw new TypeError(`${what} must not be a generator function, of which nothing would run: make it an ordinary or an async function`);
  }
  if (isClass(value)) throw new TypeError(`${what} must be a function, got the class ${value.name}, which only \`new\` can call`);
  return value as AnyHandler;
}

/**
 * Whether `value` is a class (ECMA-262: its source text begins so); those of compilers for old targets are functions. A method `class` has
 * no prototype.
 */
function isClass(value: object): boolean {
  return Object.hasOwn(value, 'prototype') && /^class\b/.test(Function.prototype.toString.call(value));
}

/**
 * @param what names it in the error.
 * @throws {TypeError} when `value` is no wrapper, but a handler, say, or a factory that was not called.
 */
export function checkedWrapper(what: string, value: unknown): (handler: AnyHandler) => AnyHandler {
  if (typeof value !== 'function') throw new TypeError(`${what} must be a wrapper, got ${kindOf(value)}`);
  checkCopy(what, value);
  const made = roleOf(value);
  if (made === 'wrapper') return value as (handler: AnyHandler) => AnyHandler;
  const name = value.name || 'a function';
  if (made === 'handler')
    throw new TypeError(`${what} must be a wrapper, got the handler ${name}: handlers come last, as in compose(…)(handler)`);
  throw new TypeError(
    `${what} must be a wrapper, got ${name}: if it makes a wrapper, call it first, as in ${name}(…); wrappers of your own are made with defineWrapper, ` +
      'and handlers come last, as in compose(…)(handler)',
  );
}
