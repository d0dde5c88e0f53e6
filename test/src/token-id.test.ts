import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTokenKey, tokenIdOf } from '../../src/token-id.js';
import { makeTokenKey } from '../../src/token-key.js';
import { aliceKey, thrownBy } from '../support/site.js';

describe('tokenIdOf', () => {
  it('gives the 64 hexadecimal digits of the SHA-256 of the key', () => {
    expect(tokenIdOf(aliceKey)).toBe(createHash('sha256').update(aliceKey).digest('hex'));
    expect(tokenIdOf(aliceKey)).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    ['an object', { $gt: '' }],
    ['an array', [aliceKey]],
    ['a number', 1234567890123456],
    ['null', null],
    ['undefined', undefined],
    ['a String object', new String(aliceKey)],
    ['too short a string', 'a'.repeat(15)],
    ['too long a string', 'a'.repeat(513)],
    ['an emoji', `${aliceKey}🔑`],
    ['a line break at the end', `${aliceKey}\n`],
    ['a space', `${aliceKey} `],
    ['a NUL', `${aliceKey}\0`],
  ])('throws a TypeError for %s', (_name, key) => {
    expect(thrownBy(() => tokenIdOf(key as string))).toBeInstanceOf(TypeError);
  });

  it('does not repeat the key in its error', () => {
    expect(thrownBy(() => tokenIdOf('s3cret!')).message).not.toContain('s3cret');
    expect(thrownBy(() => tokenIdOf(`${aliceKey} `)).message).not.toContain(aliceKey);
    const unquoted: unknown = 1234567890123456; // as JSON makes it of a key that its client has not quoted
    expect(thrownBy(() => tokenIdOf(unquoted as string)).message).not.toContain('1234567890123456');
  });

  it('takes every key of 16 to 512 characters of its alphabet, and nothing else', () => {
    const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~+/=-'];
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...alphabet), minLength: 16, maxLength: 512 }), (key) => {
        expect(isTokenKey(key)).toBe(true);
        expect(tokenIdOf(key)).toHaveLength(64);
      }),
    );
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.string({ minLength: 10, maxLength: 600 })), (key) => {
        expect(isTokenKey(key)).toBe(
          typeof key === 'string' && key.length >= 16 && key.length <= 512 && [...key].every((c) => alphabet.includes(c)),
        );
      }),
    );
  });
});

describe('makeTokenKey', () => {
  it('makes 40 hexadecimal digits, another each time, which are keys', () => {
    const keys = Array.from({ length: 100 }, makeTokenKey);
    for (const key of keys) {
      expect(key).toMatch(/^[0-9a-f]{40}$/);
      expect(isTokenKey(key)).toBe(true);
    }
    expect(new Set(keys).size).toBe(100);
  });
});
