import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { codeModules } from './code-blocks.js';
import { complaintsAbout } from './compile.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((file) => `docs/${file}`)].filter((page) => page.endsWith('.md'));

describe('the documentation', () => {
  let complaints: Readonly<Record<string, readonly string[]>> = {};
  beforeAll(async () => {
    const modules = pages.map((page) => [page, codeModules(readFileSync(join(root, page), 'utf8'))] as const);
    complaints = await complaintsAbout('pages', Object.fromEntries(modules));
  }, 120_000);

  it.each(pages)('has only code that compiles against the built package: %s', (page) => {
    expect(complaints[page]).toEqual([]);
  });

  it.each(pages)('begins nothing that is over as soon as its module has run, by a `using` at the top: %s', (page) => {
    const lines = codeModules(readFileSync(join(root, page), 'utf8')).flatMap(({ text }) => text.split('\n'));
    expect(lines.filter((line) => /^(await )?using\b/.test(line))).toEqual([]);
  });
});
