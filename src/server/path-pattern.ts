import { noParams } from '../handshake.js';
import { kindOf } from '../kind-of.js';
import type { PathParams } from '../messages.js';
import { anything, type Fail, type PatternPart, partsOf, segment } from './path-pattern-parts.js';

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
  if (typeof path !== 'string') throw new TypeError(`${option} must be a string that begins with /, got ${kindOf(path)}`);
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
  let groups = 0;
  const sources = parts.map((part, index) => {
    if (part.name === undefined) return part.modifier === '' ? literal(part.value) : `(?:${literal(part.value)})${part.modifier}`;
    groups += 1;
    const toNext = textToNext(parts, index);
    return toNext === undefined ? groupSourceOf(part) : firstSourceOf(part, groups, toNext);
  });
  return new RegExp(`^${sources.join('')}$`, 'v');
}

/** Whether `text` matches within one segment of a path. */
function isWithinSegment(...texts: readonly string[]): boolean {
  return !texts.some((text) => text.includes('/'));
}

/** What stands between a group and the next one, where both match text within one segment of the path, and the next one all that follows in it. */
function textToNext(parts: readonly PatternPart[], index: number): string | undefined {
  const group = parts[index] as PatternPart;
  const following = parts[index + 1];
  const [text, next] = following?.name === undefined && following?.modifier === '' ? [following.value, parts[index + 2]] : ['', following];
  if (next?.name === undefined || group.value !== segment || group.modifier !== '') return undefined;
  if (next.value !== segment || (next.modifier !== '' && next.modifier !== '+')) return undefined;
  return isWithinSegment(group.suffix, text, next.prefix) ? `${group.suffix}${text}${next.prefix}` : undefined;
}

/**
 * The next group can take whatever follows the first place where it may begin: no later one is tried, or a client could send a path with
 * very many of them.
 */
function firstSourceOf({ value, prefix, suffix }: PatternPart, group: number, toNext: string): string {
  return `${literal(prefix)}(?=(${value})${literal(toNext)})\\${group}${literal(suffix)}`;
}

function groupSourceOf({ value, prefix, suffix, modifier }: PatternPart): string {
  const [before, after] = [literal(prefix), literal(suffix)];
  const isBare = before === '' && after === '';
  if (modifier === '' || modifier === '?') return isBare ? `(${value})${modifier}` : `(?:${before}(${value})${after})${modifier}`;
  const times = isBare ? modifier : '+';
  let repeated = isBare ? `(?:${value})${modifier}` : `(?:${value})(?:${after}${before}(?:${value}))*`;
  // what matches its own repetition is not repeated, or there were very many ways to do so
  if (value === anything) repeated = anything;
  else if (value === segment && isWithinSegment(prefix, suffix)) repeated = `[^\\/]${times}`;
  return isBare ? `(${repeated})` : `(?:${before}(${repeated})${after})${modifier === '*' ? '?' : ''}`;
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
