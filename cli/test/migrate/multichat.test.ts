import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { migrated, textOf } from './fixtures.js';

const sources = fileURLToPath(new URL('../../../examples/multichat/src', import.meta.url));
const read = (file: string): string => textOf(join(sources, file));

it('the session mode of MultiChat becomes its token mode, byte for byte', () => {
  const { text, findings } = migrated('identified-by-session.ts', read('identified-by-session.ts'), 'token');
  expect(text).toBe(read('identified-by-token.ts'));
  expect(findings.filter(({ kind }) => kind === 'undecided')).toEqual([]);
});

it('nothing else of MultiChat changes', () => {
  const changed = readdirSync(sources).filter((file) => migrated(file, read(file), 'token').text !== read(file));
  expect(changed).toEqual(['identified-by-session.ts']);
});
