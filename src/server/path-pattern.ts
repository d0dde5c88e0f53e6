import { got } from '../checked-options.js';
import { noParams } from '../handshake.js';
import type { PathParams } from '../messages.js';
import { type Fail, type PatternPart, partsOf } from './path-pattern-parts.js';

/** The path of a route: one path, or a pattern of them. */
export interface PathPattern {
  /** As it was given. */
  readonly text: string;
  /** Whether it is one path and no pattern. */
  readonly isLiteral: boolean;
  /** What its groups match in `path`; `undefined` where it is another path. */
  match(path: string): PathParams | undefined;
}

/**
 * Compiles `path`, which has the syntax of a URLPattern's pathname: `/rooms/:id`, `/files/*`, `/:lang(de|en)?/chat`, `/a{-:b}?`. Node 20 has no
 * URLPattern.
 *
 * @throws {TypeError} naming `option`, and the position of what is wrong.
 */
export function compilePath(option: string, path: unknown): PathPattern {
  if (typeof path !== 'string') throw new TypeError(`${option} must be a string that begins with /, got ${got(path)}`);
  const fail: Fail = (what, position) => {
    throw new TypeError(`${option} is no path pattern: ${what}, at position ${position} of ${JSON.stringify(path)}`);
  };
  const parts = partsOf(path, fail);
  if (!mayBeginWithSlash(parts[0])) throw new TypeError(`${option} must begin with /, got ${JSON.stringify(path)}`);
  const [first] = parts;
  if (parts.length === 1 && first !== undefined && first.name === undefined && first.modifier === '') {
    return { text: path, isLiteral: true, match: (given) => (given === first.value ? noParams : undefined) };
  }
  const expression = regExpOf(parts);
  const names = parts.flatMap(({ name }) => name ?? []);
  return {
    text: path,
    isLiteral: false,
    match: (given) => {
      const groups = expression.exec(given);
      return groups === null ? undefined : paramsOf(names, groups);
    },
  };
}

/** Every path does, so that what cannot begin with one is a mistake. */
function mayBeginWithSlash(first: PatternPart | undefined): boolean {
  if (first === undefined) return false;
  const text = first.name === undefined ? first.value : first.prefix;
  return text === '' || text.startsWith('/');
}

function regExpOf(parts: readonly PatternPart[]): RegExp {
  return new RegExp(`^${parts.map(sourceOf).join('')}$`, 'v');
}

function sourceOf({ name, value, prefix, suffix, modifier }: PatternPart): string {
  if (name === undefined) return modifier === '' ? literal(value) : `(?:${literal(value)})${modifier}`;
  const isRepeated = modifier === '*' || modifier === '+';
  if (prefix === '' && suffix === '') return isRepeated ? `((?:${value})${modifier})` : `(${value})${modifier}`;
  const [before, after] = [literal(prefix), literal(suffix)];
  if (!isRepeated) return `(?:${before}(${value})${after})${modifier}`;
  return `(?:${before}((?:${value})(?:${after}${before}(?:${value}))*)${after})${modifier === '*' ? '?' : ''}`;
}

function literal(text: string): string {
  return text.replace(/[.+*?^${}()[\]|/\\]/g, '\\$&');
}

/** Without a prototype: a group may have any name, and a missing one is `undefined`. */
function paramsOf(names: readonly string[], groups: readonly (string | undefined)[]): PathParams {
  const params: Record<string, string> = Object.create(null);
  for (const [index, name] of names.entries()) {
    const value = groups[index + 1];
    if (value !== undefined) params[name] = decoded(value);
  }
  return Object.freeze(params);
}

/** What is no percent-encoded UTF-8 stays as it came. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
