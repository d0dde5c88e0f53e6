import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frozenJson } from '../../../src/session/json-value.js';
import { expectProcessToLive, thrownBy } from '../../support/site.js';

function isDeeplyFrozen(value: unknown): boolean {
  return typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen));
}

describe('frozenJson', () => {
  expectProcessToLive();

  it('gives a deeply frozen copy of every value that JSON can hold', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const copy = frozenJson(value, 'value');
        expect(JSON.stringify(copy)).toBe(JSON.stringify(value));
        expect(isDeeplyFrozen(copy)).toBe(true);
      }),
    );
  });

  it('copies once: what it froze before is returned as it is, and what it was given stays as it was', () => {
    const value = { list: [1] };
    const copy = frozenJson(value, 'value') as { list: number[] };
    expect(copy).not.toBe(value);
    expect(frozenJson(copy, 'value')).toBe(copy);
    expect((frozenJson({ list: copy.list }, 'value') as { list: unknown }).list).toBe(copy.list);
    value.list.push(2);
    expect(copy.list).toEqual([1]);
    expect(() => copy.list.push(3)).toThrow(TypeError);
  });

  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  const deep = Array.from({ length: 201 }).reduce((inner) => [inner], 1 as unknown);

  it.each<[unknown, RegExp]>([
    [undefined, /^value /],
    [{ a: undefined }, /^value\.a /],
    [{ a: [1, { b: () => {} }] }, /^value\.a\[1\]\.b /],
    [[Symbol('s')], /^value\[0\] /],
    [{ n: Number.NaN }, /^value\.n .*NaN/],
    [{ n: Number.POSITIVE_INFINITY }, /^value\.n .*Infinity/],
    [{ n: 1n }, /^value\.n .*bigint/],
    [{ at: new Date() }, /^value\.at .*Date/],
    [{ m: new Map() }, /^value\.m .*Map/],
    [{ b: Buffer.from('x') }, /^value\.b .*Buffer/],
    [new (class Room {})(), /^value .*Room/],
    [cycle, /^value(\.self)+ /],
    [deep, /^value(\[0\])+ /],
    [Array(1), /^value\[0\] /],
  ])('throws a TypeError with the path for what JSON cannot hold', (value, message) => {
    const error = thrownBy(() => frozenJson(value, 'value'));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(message);
  });

  it('takes a zero without its sign, which JSON does not keep either', () => {
    const copy = frozenJson({ a: -0, list: [-0, 0], deep: { b: -0 } }, 'value');
    expect(copy).toStrictEqual({ a: 0, list: [0, 0], deep: { b: 0 } });
    expect(frozenJson(-0, 'value')).toBe(0);
  });

  it('refuses a promise, and hears of its rejection, which nobody else would', () => {
    for (const value of [Promise.reject(new Error('gone')), { a: [Promise.reject(new Error('gone'))] }])
      expect(thrownBy(() => frozenJson(value, 'value'))).toBeInstanceOf(TypeError);
  });

  it('takes plain objects of another realm and without a prototype', () => {
    expect(frozenJson(runInNewContext('({ a: [1] })'), 'value')).toEqual({ a: [1] });
    expect(frozenJson(Object.assign(Object.create(null), { a: 1 }), 'value')).toEqual({ a: 1 });
  });

  it('keeps members named as those of every object, and pollutes nothing', () => {
    const copy = frozenJson(JSON.parse('{"__proto__":{"admin":true},"constructor":1,"toString":2}'), 'value');
    expect(JSON.stringify(copy)).toBe('{"__proto__":{"admin":true},"constructor":1,"toString":2}');
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
    expect((copy as { admin?: unknown }).admin).toBeUndefined();
  });
});
