import type { JsonObject, JsonValue } from '../contracts/session-store.js';
import { ignorePromise } from '../maybe-promise.js';

/** Values deeper than this are refused: no store nests that far, and recursion must end somewhere. */
const maxDepth = 200;

/** Gives what it is made with, to which the members of a class that extends it are then added. */
class Given {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: the object itself is to get the private member
    return object;
  }
}

/**
 * The mark of what was frozen here already: it need not be copied again. A private member, which nobody else sees or can forge; a `WeakSet`
 * would cost each change of a session a microsecond, and the garbage collector more.
 */
class FrozenHere extends Given {
  readonly #mark = true;

  static freeze(object: object): void {
    new FrozenHere(object);
    Object.freeze(object);
  }

  static has(object: object): boolean {
    return #mark in object && object.#mark;
  }
}

/**
 * A deeply frozen copy of `value`; what was frozen here before is returned as it is.
 *
 * @param owner how errors name `value`; with a `key`, they name it `owner('key')`.
 * @throws {TypeError} naming the path of the first part that JSON cannot hold: `undefined`, a function, a symbol, a BigInt, NaN or an
 * infinity, an object that is neither plain nor an array (a `Date`, a `Map`), a cycle, or anything deeper than 200 levels.
 */
export function frozenJson(value: unknown, owner: string, key?: string): JsonValue {
  if (isScalar(value)) return withoutSign(value); // most values are: no path is put together for them
  return freeze(value, key === undefined ? owner : `${owner}('${key}')`, 0);
}

/** Freezes an object of values that were frozen here, unless it is already: nobody who keeps it need copy it. */
export function freezeJson(object: JsonObject): void {
  if (!FrozenHere.has(object)) FrozenHere.freeze(object);
}

/** Whether `value` is one that JSON holds and that nobody can change. */
function isScalar(value: unknown): value is string | number | boolean | null {
  return typeof value === 'string' || typeof value === 'boolean' || value === null || Number.isFinite(value);
}

/** Of zeros JSON keeps no sign: one in memory would differ from what a store gives back. */
function withoutSign<Scalar>(value: Scalar): Scalar | 0 {
  return value === 0 ? 0 : value;
}

/** Freezes what is no scalar: whoever calls it has looked, before a path was put together. */
function freeze(value: unknown, path: string, depth: number): JsonValue {
  if (typeof value !== 'object' || value === null) {
    throw new TypeError(`${path} must be a value that JSON can hold, got ${typeof value === 'number' ? String(value) : typeof value}`);
  }
  if (FrozenHere.has(value)) return value as JsonValue;
  if (depth >= maxDepth) throw new TypeError(`${path} is nested more than ${maxDepth} levels deep, or holds itself`);
  const copy = Array.isArray(value) ? frozenArray(value, path, depth) : frozenObject(value, path, depth);
  FrozenHere.freeze(copy as object);
  return copy;
}

function frozenArray(value: readonly unknown[], path: string, depth: number): JsonValue {
  const copy: JsonValue[] = [];
  for (const [index, element] of value.entries())
    copy.push(isScalar(element) ? withoutSign(element) : freeze(element, `${path}[${index}]`, depth + 1));
  return copy;
}

function frozenObject(value: object, path: string, depth: number): JsonValue {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype !== null && prototype !== Object.prototype && !isObjectPrototype(prototype)) {
    ignorePromise(value);
    const name = (value as { constructor?: { name?: string } }).constructor?.name ?? 'an object';
    throw new TypeError(`${path} must be a value that JSON can hold, got an instance of ${name}`);
  }
  const copy: Record<string, JsonValue> = {};
  for (const [key, member] of Object.entries(value)) {
    putMember(copy, key, isScalar(member) ? withoutSign(member) : freeze(member, `${path}.${key}`, depth + 1));
  }
  return copy;
}

/** Gives `object` a member. One named `__proto__` is like any other: it is defined, not set. */
export function putMember(object: Record<string, JsonValue>, key: string, value: JsonValue): void {
  if (key !== '__proto__') object[key] = value;
  else Object.defineProperty(object, key, { value, configurable: true, enumerable: true, writable: true });
}

/** Whether `prototype` is another realm's `Object.prototype` (vitest's, a vm's). */
function isObjectPrototype(prototype: object): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}
