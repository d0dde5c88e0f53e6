import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { codeModules } from './code-blocks.js';
import { complaintsAbout } from './compile.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((file) => `docs/${file}`)].filter((page) => page.endsWith('.md'));

describe('the documentation', () => {
  it.each(pages)('has only code that compiles against the built package: %s', { timeout: 60_000 }, async (page) => {
    expect(await complaintsAbout(page, codeModules(readFileSync(join(root, page), 'utf8')))).toEqual([]);
  });
});
