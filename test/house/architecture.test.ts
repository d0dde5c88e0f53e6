import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { textOf } from './exports.js';

const page = textOf('docs/architecture.md');
/** Paths of the repository; the wildcards of prose (`src/`) are folders and must be there too. */
const paths = [...page.matchAll(/`((?:entries|decorators|adapters|testing|src|test|docs|scripts)\/[\w./-]*)`/g)].map(
  ([, path = '']) => path,
);

it('each path of docs/architecture.md is there', () => {
  expect(paths.length).toBeGreaterThan(40);
  expect(paths.filter((path) => !existsSync(new URL(`../../${path}`, import.meta.url)))).toEqual([]);
});

it('CONTRIBUTING leads to it', () => {
  expect(textOf('CONTRIBUTING.md')).toContain('(docs/architecture.md)');
});
