import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePath } from '../../../src/server/path-pattern.js';
import { thrownBy } from '../../support/site.js';

type Params = Record<string, string>;

/** The platform's own, where there is one (from Node 24 on): what we match must be what it matches. */
interface Native {
  new (init: {
    readonly pathname: string;
  }): {
    exec(input: { readonly pathname: string }): { readonly pathname: { readonly groups: Record<string, string | undefined> } } | null;
  };
}
const NativePattern = (globalThis as { URLPattern?: Native }).URLPattern;

const matchOf = (pattern: string, path: string): Params | undefined => {
  const params = compilePath('path', pattern).match(path);
  return params && { ...params };
};

function nativeMatchOf(Pattern: Native, pattern: string, path: string): Params | undefined {
  const found = new Pattern({ pathname: pattern }).exec({ pathname: path });
  if (found === null) return undefined;
  const groups = Object.entries(found.pathname.groups).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(groups);
}

const table: readonly (readonly [string, string, Params | undefined])[] = [
  ['/chat', '/chat', {}],
  ['/chat', '/chat/', undefined],
  ['/chat', '/CHAT', undefined],
  ['/', '/', {}],
  ['/rooms/:id', '/rooms/7', { id: '7' }],
  ['/rooms/:id', '/rooms/', undefined],
  ['/rooms/:id', '/rooms', undefined],
  ['/rooms/:id', '/rooms/a/b', undefined],
  ['/rooms/:id?', '/rooms/a/b', undefined],
  ['/a(b?)c', '/abc', { 0: 'b' }],
  ['/a(b?)c', '/abbc', undefined],
  ['/a(b+)c', '/abc', { 0: 'b' }],
  ['/a(b+)c', '/ac', undefined],
  ['/rooms/:id', '/x/rooms/a', undefined],
  ['/:a/:b', '/1/2', { a: '1', b: '2' }],
  ['/:a-:b', '/1-2', { a: '1', b: '2' }],
  ['/:a-:b', '/1-2-3', { a: '1', b: '2-3' }],
  ['/:a-:b', '/--2', { a: '-', b: '2' }],
  ['/:a:b{-:c}', '/xyz-1-2', { a: 'x', b: 'yz', c: '1-2' }],
  ['/x-:id+', '/x-12', { id: '12' }],
  ['/x-:id*', '/x-', { id: '' }],
  ['/files/**/x', '/files/a/b/x', { 0: 'a/b' }],
  ['/files/**', '/files', {}],
  ['/rooms/:id.json', '/rooms/7.json', { id: '7' }],
  ['/rooms/:id.json', '/rooms/7xjson', undefined],
  ['/files/*', '/files/a/b', { 0: 'a/b' }],
  ['/files/*', '/files/', { 0: '' }],
  ['/files/*', '/files', undefined],
  ['/*/*', '/a/b/c', { 0: 'a/b', 1: 'c' }],
  ['*', '/any/thing', { 0: '/any/thing' }],
  ['*/a', '/a', { 0: '' }],
  ['/:lang(de|en)', '/de', { lang: 'de' }],
  ['/:lang(de|en)', '/fr', undefined],
  ['/(\\d+)', '/12', { 0: '12' }],
  ['/(\\d+)', '/x', undefined],
  ['/((?:a|b)+)', '/abba', { 0: 'abba' }],
  ['/(a{2})', '/aa', { 0: 'aa' }],
  ['/(a{2})', '/aaa', undefined],
  ['/(a{2,})', '/aaaaa', { 0: 'aaaaa' }],
  ['/(a{2,})', '/a', undefined],
  ['/(a{2,3})', '/aa', { 0: 'aa' }],
  ['/(a{2,3})', '/aaa', { 0: 'aaa' }],
  ['/(a{2,3})', '/a', undefined],
  ['/(a{2,3})', '/aaaa', undefined],
  ['/(a\\)b)', '/a)b', { 0: 'a)b' }],
  ['/(a\\(b)', '/a(b', { 0: 'a(b' }],
  ['/rooms/:id?', '/rooms', {}],
  ['/rooms/:id?', '/rooms/7', { id: '7' }],
  ['/rooms/:id?', '/rooms/', undefined],
  ['/rooms/:path+', '/rooms/a/b', { path: 'a/b' }],
  ['/rooms/:path+', '/rooms', undefined],
  ['/rooms/:path*', '/rooms', {}],
  ['/rooms/:path*', '/rooms/a/b/c', { path: 'a/b/c' }],
  ['/rooms/:path(\\d)+', '/rooms/1/2', { path: '1/2' }],
  ['/rooms/:path(\\d)+', '/rooms/12', undefined],
  ['/x:digits(\\d)+', '/x123', { digits: '123' }],
  ['/rooms{/}?', '/rooms', {}],
  ['/rooms{/}?', '/rooms/', {}],
  ['{/ab}+', '/ab/ab', {}],
  ['{/ab}*/c', '/c', {}],
  ['{/:lang}?/chat', '/chat', {}],
  ['{/:lang}?/chat', '/de/chat', { lang: 'de' }],
  ['/a{-:b}?', '/a', {}],
  ['/a{-:b}?', '/a-x', { b: 'x' }],
  ['/a{-:b-}+', '/a-x--y-', { b: 'x--y' }],
  ['/a{b}c', '/abc', {}],
  ['/rooms/:id{.:kind}?', '/rooms/7.json', { id: '7', kind: 'json' }],
  ['/a\\:b', '/a:b', {}],
  ['/a\\*', '/a*', {}],
  ['/a.b', '/a.b', {}],
  ['/a.b', '/axb', undefined],
  ['/a|b', '/a|b', {}],
  ['/$a/:$b_1', '/$a/x', { $b_1: 'x' }],
  ['/:café', '/x', { café: 'x' }],
  ['/café', '/caf%C3%A9', {}],
  ['/café/:id?', '/caf%C3%A9', {}],
  ['/a b', '/a%20b', {}],
  [
    '/:constructor/:__proto__',
    '/a/b',
    Object.fromEntries([
      ['constructor', 'a'],
      ['__proto__', 'b'],
    ]),
  ],
];

describe('a path pattern', () => {
  it.each(table)('%s matches %s as %j', (pattern, path, params) => {
    expect(matchOf(pattern, path)).toEqual(params);
    if (NativePattern !== undefined) expect(nativeMatchOf(NativePattern, pattern, path)).toEqual(params);
  });

  it.each<[string, number]>([
    ['/a\\', 2],
    ['/:', 1],
    ['/:1', 1],
    ['/a(', 2],
    ['/a()', 2],
    ['/a(?:b)', 3],
    ['/a((b))', 3],
    ['/a((?<x>b))', 3],
    ['/a(é)', 3],
    ['/a([)', 2],
    ['/a?', 2],
    ['/+', 1],
    ['/a}', 2],
    ['/{a', 3],
    ['/{a{b}}', 3],
    ['/{:a:b}', 4],
    ['/:a/:a', 4],
    ['/:0', 1],
  ])('%s is a TypeError that names the option and position %i', (pattern, position) => {
    const error = thrownBy(() => compilePath('handleUpgrades: path', pattern));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain('handleUpgrades: path');
    expect(error.message).toContain(`position ${position} `);
  });

  it.each([undefined, null, 7, /chat/, '', 'chat', 'chat/:id', '{chat}?', '\\chat'])('%s is a TypeError: no path begins so', (pattern) => {
    expect(thrownBy(() => compilePath('path', pattern))).toBeInstanceOf(TypeError);
  });

  it.each([
    ['/x-:id+', `/x-${'a'.repeat(15_000)}/`],
    ['/x-:id*y', `/x-${'a'.repeat(15_000)}/`],
    ['/x-*+z', `/x-${'a'.repeat(15_000)}/`],
    ['/files/**/x', `/files${'/'.repeat(15_000)}y`],
    ['/*+/x', `${'/'.repeat(15_000)}y`],
    ['/{:b-}+x', `/${'-'.repeat(15_000)}/`],
    ['/a{-:b}+', `/a${'-'.repeat(15_000)}/`],
    ['/:from-:to', `/${'-'.repeat(15_000)}/`],
    ['/:a-:b-:c', `/${'-'.repeat(15_000)}/`],
    ['/:a:b{-:c}:d+', `/${'-'.repeat(15_000)}/`],
  ])('%s is soon done with a long path that it nearly matches', (pattern, path) => {
    expect(matchOf(pattern, path)).toBeUndefined();
  });

  it('gives parameters percent-decoded, and as they came where they cannot be', () => {
    expect(matchOf('/:a/:b', '/caf%C3%A9/x%2Fy')).toEqual({ a: 'café', b: 'x/y' });
    expect(matchOf('/:a/*', '/%E0%A4%A/%')).toEqual({ a: '%E0%A4%A', 0: '%' });
  });

  it('gives frozen parameters without a prototype, whatever the groups are called', () => {
    const params = compilePath('path', '/:__proto__/:toString?').match('/polluted');
    expect(Object.getPrototypeOf(params)).toBeNull();
    expect(Object.isFrozen(params)).toBe(true);
    expect(Object.entries(params ?? {})).toEqual([['__proto__', 'polluted']]);
    expect(params?.['toString']).toBeUndefined();
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('of any text is a pattern or a TypeError, and matches what the platform matches', () => {
    const piece = fc.constantFrom(
      '/',
      'a',
      'b',
      ':x',
      ':y',
      '*',
      '(a|b)',
      '(\\d)',
      '{',
      '}',
      '?',
      '+',
      '\\',
      '-',
      'a.b',
      '(',
      ')',
      '^',
      '{/a}?',
      '|',
    );
    const pattern = fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join('')}`);
    const path = fc.string({ unit: fc.constantFrom('/', 'a', 'b', '1', '-', '|'), maxLength: 8 }).map((text) => `/${text}`);
    fc.assert(
      fc.property(pattern, path, (text, given) => {
        const outcomeOf = (run: () => Params | undefined): unknown => {
          try {
            return { params: run() };
          } catch (error) {
            expect(error).toBeInstanceOf(TypeError);
            return 'none';
          }
        };
        const ours = outcomeOf(() => matchOf(text, given));
        if (NativePattern !== undefined) expect(ours).toEqual(outcomeOf(() => nativeMatchOf(NativePattern, text, given)));
      }),
      { numRuns: 500 },
    );
  });
});
