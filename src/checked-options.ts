import { kindOf } from './kind-of.js';

/** What an option must be, in the words of the error, and how that is told. */
export interface Rule {
  readonly must: string;
  accepts(value: unknown): boolean;
}

/** A rule for each option of `Options`: the compiler misses none. */
export type Rules<Options extends object> = { readonly [Name in keyof Required<Options>]: Rule };

/** Whatever it is: something else looks at it more closely. */
export const anything: Rule = { must: 'anything', accepts: () => true };
export const aFunction: Rule = { must: 'a function', accepts: (value) => typeof value === 'function' };
export const aFlag: Rule = { must: 'true or false', accepts: (value) => typeof value === 'boolean' };
export const anObject: Rule = {
  must: 'an object',
  accepts: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
};

export const aString: Rule = { must: 'a string', accepts: (value) => typeof value === 'string' };
export const aName: Rule = { must: 'a non-empty string', accepts: (value) => typeof value === 'string' && value !== '' };

/**
 * Whether it is a list of nothing but what `accepts` takes; a hole in it is `undefined`, which `every` of the list itself would pass over.
 */
export function isListOf(value: unknown, accepts: (one: unknown) => boolean): value is readonly unknown[] {
  return Array.isArray(value) && Array.from<unknown>(value).every((one) => accepts(one));
}

export const aListOfStrings: Rule = { must: 'a list of strings', accepts: (value) => isListOf(value, aString.accepts) };

/** An integer from `min` to `max`. */
export function anInteger(min: number, max: number = Number.MAX_SAFE_INTEGER): Rule {
  const must = max === Number.MAX_SAFE_INTEGER ? `an integer of at least ${min}` : `an integer from ${min} to ${max}`;
  return { must, accepts: (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max };
}

/** A number of milliseconds from `min`, not NaN; infinity is for ever where `max` is not given. */
export function milliseconds(min: number, max: number = Number.POSITIVE_INFINITY): Rule {
  return {
    must: max === Number.POSITIVE_INFINITY ? `a number of milliseconds from ${min}` : `a number of milliseconds from ${min} to ${max}`,
    accepts: (value) => typeof value === 'number' && value >= min && value <= max,
  };
}

/** The whole of a clock. */
export const aClock: Rule = having('a Clock', 'now', 'monotonic', 'setTimer');

/** Of a clock, the time of day alone: whoever has no timers needs no more. */
export const aWallClock: Rule = having('a Clock', 'now');

/** One of `words`. */
export function oneOf(words: readonly string[]): Rule {
  return { must: `one of ${words.join(', ')}`, accepts: (value) => typeof value === 'string' && words.includes(value) };
}

/** An object, or a class, with `methods`; `what` names it. */
export function having(what: string, ...methods: readonly string[]): Rule {
  return {
    must: `${what} (with ${methods.join(', ')})`,
    accepts: (value) =>
      ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
      methods.every((name) => typeof (value as Readonly<Record<string, unknown>>)[name] === 'function'),
  };
}

/** A container of tsyringe as it is asked for dependencies. */
export const aContainer: Rule = having('a container of tsyringe', 'isRegistered', 'resolve');

/** As {@link having}; `such` is how to make it of a client of Redis, which has methods of these names, too. */
export function havingNotAsClient(what: string, such: string, ...methods: readonly string[]): Rule {
  const rule = having(what, ...methods);
  return { must: `${rule.must}, such as ${such}`, accepts: (value) => rule.accepts(value) && !isRedisClient(value as object) };
}

/** Whether it is one of ioredis (`status`) or redis (`isOpen`). */
function isRedisClient(value: object): boolean {
  const { duplicate, status, isOpen } = value as Readonly<Record<'duplicate' | 'status' | 'isOpen', unknown>>;
  return typeof duplicate === 'function' && (typeof status === 'string' || typeof isOpen === 'boolean');
}

/** @throws {TypeError} naming `owner`, the option, what it must be and what it is, unless `rule` accepts `value`. */
export function checkOption(owner: string, name: string, value: unknown, rule: Rule): void {
  if (rule.accepts(value)) return;
  throw new TypeError(`${owner}: ${name} must be ${rule.must}, got ${kindOf(value)}`);
}

/**
 * A checked, frozen copy of the options that were given to `owner`. One that is `undefined` counts as not given.
 *
 * @param required those that must be given.
 * @throws {TypeError} naming the first option that there is not, and those that there are, or the first that is not what it must be; or
 * that it was given something else than options, such as the repository itself.
 */
export function checkedOptions<Options extends object>(
  owner: string,
  given: Options | undefined,
  rules: Rules<NoInfer<Options>>,
  ...required: readonly (keyof NoInfer<Options>)[]
): Readonly<Options> {
  if (given !== undefined) checkOption(owner, 'options', given, anObject);
  const options = copyOf(given, rules);
  const takes = (): string => `it takes ${listed(Object.keys(rules))}`;
  const isInstance = given !== undefined && hasMethods(given);
  if (isInstance && !Object.keys(rules).some((name) => name in given)) {
    throw new TypeError(`${owner}: options must be an object that holds them, got ${nameOf(given)} itself; ${takes()}`);
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(rules, name));
  if (unknown !== undefined) {
    const whose = isInstance ? `, which ${nameOf(given)} has` : '';
    throw new TypeError(`${owner}: there is no option ${unknown}${whose}; ${takes()}`);
  }
  for (const name of new Set([...Object.keys(options), ...required]) as Set<keyof Options & string>) {
    const value = options[name];
    if (value !== undefined || required.includes(name)) checkOption(owner, name, value, rules[name]);
  }
  return Object.freeze(options);
}

/** Whether it is of a class with methods, as what is meant to be one of the options often is. */
function hasMethods(given: object): boolean {
  let holder: object | null = Object.getPrototypeOf(given);
  for (; holder !== null && Object.getPrototypeOf(holder) !== null; holder = Object.getPrototypeOf(holder)) {
    const members = Object.entries(Object.getOwnPropertyDescriptors(holder));
    if (members.some(([name, { value }]) => name !== 'constructor' && typeof value === 'function')) return true;
  }
  return false;
}

function nameOf(instance: object): string {
  const kind = kindOf(instance);
  const { name }: { readonly name?: unknown } = Object(instance.constructor); // which a bare prototype lacks
  return kind === 'object' && typeof name === 'string' && name !== '' ? `a ${name}` : kind;
}

/** Members of its own, and of the options that there are those that it inherits: getters of a class, and what `Object.create` was given. */
function copyOf<Options extends object>(given: Options | undefined, rules: Rules<NoInfer<Options>>): Options {
  const options = { ...given } as Options;
  const prototype: unknown = given === undefined ? null : Object.getPrototypeOf(given);
  // what all objects inherit is no option, whatever somebody has put there
  if (given === undefined || prototype === null || Object.getPrototypeOf(prototype) === null) return options;
  for (const name of Object.keys(rules) as (keyof Options)[])
    if (!Object.hasOwn(options, name) && name in given) options[name] = given[name];
  return options;
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? 'none') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
