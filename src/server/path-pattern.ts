import { noParams } from '../handshake.js';
import { kindOf } from '../kind-of.js';
import type { PathParams } from '../messages.js';
import { type Expression, expressionOf, textExpression } from './path-expression.js';
import { type Fail, type PatternPart, partsOf } from './path-pattern-parts.js';
import { type Program, programOf } from './path-program.js';
import { runProgram } from './run-program.js';

/** How many steps a pattern has at most: a path takes at most its length times as many. */
const maxSteps = 4_000;

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
 * Compiles `path`, which has the syntax of a URLPattern's pathname: `/rooms/:id`, `/files/*`, `/:lang(de|en)?/chat`, `/a{-:b}?`. Node 20
 * has no URLPattern.
 *
 * @throws {TypeError} naming `option`, and the position of what is wrong.
 */
export function compilePath(option: string, path: unknown): PathPattern {
  if (typeof path !== 'string') throw new TypeError(`${option} must be a string that begins with /, got ${kindOf(path)}`);
  const fail: Fail = (what, position) => {
    throw new TypeError(`${option} is no path pattern: ${what}, at position ${position} of ${JSON.stringify(path)}`);
  };
  const parts = partsOf(path, fail);
  const [first, ...others] = parts;
  if (first === undefined || !mayBeginWithSlash(first)) throw new TypeError(`${option} must begin with /, got ${JSON.stringify(path)}`);
  if (others.length === 0 && first.name === undefined && first.modifier === '') {
    return { text: path, isLiteral: true, match: (given) => (given === first.value ? noParams : undefined) };
  }
  const program = programOfParts(parts, fail);
  const names = parts.flatMap(({ name }) => name ?? []);
  return {
    text: path,
    isLiteral: false,
    match: (given) => {
      const groups = runProgram(program, given);
      return groups === undefined ? undefined : paramsOf(names, groups);
    },
  };
}

/** Every path does, so that what cannot begin with one is a mistake. */
function mayBeginWithSlash({ name, value, prefix }: PatternPart): boolean {
  const text = name === undefined ? value : prefix;
  return text === '' || text.startsWith('/');
}

/** The parts as a URLPattern means them (URL Pattern Standard, "generate a regular expression and name list"). */
export function programOfParts(parts: readonly PatternPart[], fail: Fail): Program {
  let groups = 0;
  const items = parts.map((part) => {
    if (part.name === undefined) return repeated(textExpression(part.value), part.modifier);
    groups += 1;
    return groupExpression(part, groups - 1, fail);
  });
  return programOf(sequence(...items), maxSteps, () => fail('it is too large, its repetitions written out', 0));
}

function groupExpression({ value, position, prefix, suffix, modifier }: PatternPart, index: number, fail: Fail): Expression {
  const own = expressionOf(value, position, fail);
  const [before, after] = [textExpression(prefix), textExpression(suffix)];
  const whole = (of: Expression): Expression => sequence(before, { kind: 'group', of, index }, after);
  if (modifier === '' || modifier === '?') return repeated(whole(own), modifier);
  if (prefix === '' && suffix === '') return whole(repeated(own, modifier));
  const list = whole(sequence(own, repeated(sequence(after, before, own), '*')));
  return repeated(list, modifier === '*' ? '?' : '');
}

function sequence(...items: readonly Expression[]): Expression {
  return { kind: 'sequence', items };
}

function repeated(of: Expression, modifier: PatternPart['modifier']): Expression {
  if (modifier === '') return of;
  return { kind: 'repeat', of, min: modifier === '+' ? 1 : 0, max: modifier === '?' ? 1 : Number.POSITIVE_INFINITY, isLazy: false };
}

/** Without a prototype: a group may have any name, and a missing one is `undefined`. */
function paramsOf(names: readonly string[], groups: readonly (string | undefined)[]): PathParams {
  const params: Record<string, string> = Object.create(null);
  for (const [index, name] of names.entries()) {
    const value = groups[index];
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
