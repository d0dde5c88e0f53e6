import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixtures, migrated, names, placesOf, targets, textOf } from './fixtures.js';

const expected = JSON.parse(textOf(join(fixtures, 'findings.json'))) as Record<string, string[]>;

describe.each(targets)('the codemod to %s', (target) => {
  it.each(names)('rewrites what it must of %s, and leaves every other byte', (name) => {
    const result = migrated(name, textOf(join(fixtures, 'input', name)), target);
    expect(result.text).toBe(textOf(join(fixtures, target, name)));
    expect(placesOf(result)).toEqual(expected[`${target}/${name}`]);
  });

  it.each(names)('has nothing more to rewrite in what became of %s', (name) => {
    const text = textOf(join(fixtures, target, name));
    expect(migrated(name, text, target).text).toBe(text);
  });
});

describe('the codemod from dual to token', () => {
  const names = ['bare.ts', 'byte-order-mark.ts', 'class-fields.ts', 'component.jsx', 'component.tsx', 'module.mts', 'unicode.ts'];
  it.each(names)('gives of %s what it gives from sessions at once', (name) => {
    const { text } = migrated(name, textOf(join(fixtures, 'dual', name)), 'token');
    expect(text).toBe(textOf(join(fixtures, 'token', name)));
  });
});
