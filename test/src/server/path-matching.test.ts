import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePath, programOfParts } from '../../../src/server/path-pattern.js';
import { type PatternPart, partsOf } from '../../../src/server/path-pattern-parts.js';
import type { Program, Step } from '../../../src/server/path-program.js';
import { runProgram } from '../../../src/server/run-program.js';
import { thrownBy } from '../../support/site.js';

const fail = (what: string): never => {
  throw new TypeError(what);
};

const escaped = (text: string): string => text.replace(/[.+*?^${}()[\]|/\\]/g, '\\$&');

/**
 * The regular expression of a pattern, as the URL Pattern Standard generates it, but with the flag `u`: with `v`, the V8 of Node 20 has
 * `/^\/([^\/]+?)((?:[^\/]a)+?)$/v` match `/a/a`.
 */
function regExpOf(parts: readonly PatternPart[]): RegExp {
  const sources = parts.map(({ name, value, prefix, suffix, modifier }) => {
    if (name === undefined) return modifier === '' ? escaped(value) : `(?:${escaped(value)})${modifier}`;
    const [before, after] = [escaped(prefix), escaped(suffix)];
    if (prefix === '' && suffix === '') return modifier === '' || modifier === '?' ? `(${value})${modifier}` : `((?:${value})${modifier})`;
    if (modifier === '' || modifier === '?') return `(?:${before}(${value})${after})${modifier}`;
    return `(?:${before}((?:${value})(?:${after}${before}(?:${value}))*)${after})${modifier === '*' ? '?' : ''}`;
  });
  const source = `^${sources.join('').replaceAll('[[a-z]--b]', '[ac-z]')}$`;
  return new RegExp(source, source.includes('&&') ? 'v' : 'u');
}

function expectSameAsRegExp(pattern: string, path: string): void {
  const parts = partsOf(pattern, fail);
  const expected = regExpOf(parts).exec(path);
  const found = runProgram(programOfParts(parts, fail), path);
  const names = parts.filter(({ name }) => name !== undefined);
  const groupsOf = (groups: readonly (string | undefined)[]): unknown => names.map((_, index) => groups[index]);
  expect([pattern, path, found && groupsOf(found)]).toEqual([pattern, path, expected === null ? undefined : groupsOf(expected.slice(1))]);
}

/** Very few are too large. */
function programOrNone(pattern: string): Program | undefined {
  try {
    return programOfParts(partsOf(pattern, fail), fail);
  } catch {
    return undefined;
  }
}

/** Counts how often `program` compares a character. */
function counting({ steps, start }: Program, count: () => void): Program {
  const counted = (step: Step): Step => {
    if (step.does === 'look') return { ...step, look: { ...step.look, program: counting(step.look.program, count) } };
    if (step.does !== 'accept') return step;
    const accepts = (character: string): boolean => {
      count();
      return step.accepts(character);
    };
    return { ...step, accepts };
  };
  return { steps: steps.map(counted), start };
}

function comparisonsOf(pattern: string, path: string): { readonly isMatched: boolean; readonly compared: number; readonly steps: number } {
  let compared = 0;
  const program = programOfParts(partsOf(pattern, fail), fail);
  const isMatched =
    runProgram(
      counting(program, () => {
        compared += 1;
      }),
      path,
    ) !== undefined;
  return { isMatched, compared, steps: sizeOf(program) };
}

function sizeOf({ steps }: Program): number {
  return steps.reduce((sum, step) => sum + 1 + (step.does === 'look' ? sizeOf(step.look.program) : 0), 0);
}

const leaf = fc.constantFrom('a', 'b', '-', '.', '\\d', '[ab]', '[^\\/]', '[[a-z]--b]', '\\.', '\\x61', '^', '$', '\\b', '\\B');
const lookAround = fc.constantFrom('(?=', '(?!', '(?<=', '(?<!');
const { expression } = fc.letrec<{ expression: string; sequence: string; term: string }>((tie) => ({
  expression: fc.array(tie('sequence'), { minLength: 1, maxLength: 3 }).map((items) => items.join('|')),
  sequence: fc.array(tie('term'), { maxLength: 3 }).map((items) => items.join('')),
  term: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    leaf,
    fc
      .tuple(tie('expression'), fc.constantFrom('', '*', '+', '?', '*?', '+?', '??', '{2}', '{1,2}', '{0,2}?', '{1,}', '{0}'))
      .map(([of, times]) => `(?:${of})${times}`),
    fc.tuple(lookAround, tie('expression')).map(([opening, of]) => `${opening}${of})`),
  ),
}));

const modifier = fc.constantFrom('', '', '?', '*', '+');
const affix = fc.constantFrom('', '', '-', 'a', '/', '/a');
const value = fc.oneof(
  fc.constantFrom('', '', '(.*)'),
  expression.filter((source) => source !== '' && !source.startsWith('?')).map((source) => `(${source})`),
);
const group = fc.record({ value, modifier, prefix: affix, suffix: affix });
const patterns = fc
  .array(group, { minLength: 1, maxLength: 4 })
  .map((groups) => groups.map((one, index) => `{${one.prefix}:g${index}${one.value}${one.suffix}}${one.modifier}`).join(''));
const paths = fc.string({ unit: fc.constantFrom('/', 'a', 'b', '1', '-'), maxLength: 9 }).map((text) => `/${text}`);

describe('matching a path', () => {
  it('finds what the regular expression of the pattern finds, for any pattern and path', () => {
    const pattern = patterns.map((text) => `/${text}`);
    const compiled = pattern.filter((text) => programOrNone(text) !== undefined);
    const property = fc.property(compiled, fc.array(paths, { minLength: 3, maxLength: 3 }), (text, given) => {
      for (const path of given) expectSameAsRegExp(text, path);
    });
    fc.assert(property, { numRuns: 300 });
  });

  it.each([
    ['/:a(a|ab)(c|bcd)(d*)', '/abcd'],
    ['/:a((?:|a)+)*', '/aa'],
    ['/:a((?:|a)*):b', '/aab'],
    ['/:a(.*)?:b(.*)?', '/'],
    ['/:a((?:a??b??)*)*', '/abab'],
    ['/:a((?:a*)*)(b?)', '/aab'],
    ['/:a((?:(?:|a)*|b)*)(b?)', '/ab'],
    ['/:a((?!new$)[^\\/]+)', '/new'],
    ['/:a((?!new$)[^\\/]+)', '/newer'],
    ['/:a(\\w+(?<=x)):b', '/axbxc'],
    ['/:a((?:\\p{Ll}|\\u{31}|\\u0032|\\cA|\\d{2,3}?)+):b?', '/a1222x'],
    ['/:a([[a-f]&&[d-z]]+)', '/def'],
  ])('%s finds in %s what its regular expression finds', expectSameAsRegExp);

  it.each([
    ['/:a-:b{-:c}?{-:d}?', `/${'-'.repeat(2_000)}/`],
    ['/:a{-:c}?', `/${'-'.repeat(2_000)}/`],
    ['/:a-:b-:c-:d-:e', `/${'-'.repeat(2_000)}/`],
    ['/((?:a+)+)', `/${'a'.repeat(2_000)}!`],
    ['/((?:a|a)*)/x', `/${'a'.repeat(2_000)}!`],
    ['/(.*)(.*)(.*)(.*)x', `/${'a'.repeat(2_000)}`],
    ['/((?:a?){50})b', `/${'a'.repeat(2_000)}`],
    ['/((?:(?!.*x).)*)/y', `/${'a'.repeat(2_000)}`],
    ['/((?:(?<=a*)a)*)/y', `/${'a'.repeat(2_000)}`],
    ['/files/**/x', `/files${'/'.repeat(2_000)}y`],
  ])('%s compares each character of a long path at most once for each of its steps', (pattern, path) => {
    const { isMatched, compared, steps } = comparisonsOf(pattern, path);
    expect(isMatched).toBe(false);
    expect(compared).toBeLessThanOrEqual(steps * path.length);
    const { compared: atDouble } = comparisonsOf(pattern, path.replace(/(.)\1+/, '$&$&'));
    expect(atDouble).toBeLessThanOrEqual(2.1 * compared);
  });

  it.each(['/([\\q{ab}])', '/(\\p{RGI_Emoji})', '/((?:a{100}){100})', '/((?:){4001})', '/((?:(?:(?:(?:a*)*)*)*)*{2,2000})'])(
    '%s is a TypeError: it cannot be matched step by step',
    (pattern) => expect(thrownBy(() => compilePath('path', pattern))).toBeInstanceOf(TypeError),
  );
});
