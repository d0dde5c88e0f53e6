import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const recipes = new URL('../../', import.meta.url);
const pages = new URL('../../docs/recipes/', recipes);
const read = (path: string, base = recipes): string => readFileSync(new URL(path, base), 'utf8');

/** The blocks of code of all pages: their file, and their text. */
const blocks = readdirSync(pages).flatMap((page) =>
  [...read(page, pages).matchAll(/^```(?:ts|js|json)( \S+)?\n(.*?)^```$/gms)].map(([, file = '', text = '']) => ({
    page,
    file: file.trim(),
    text,
  })),
);
const programs = readdirSync(new URL('src/', recipes)).map((name) => `src/${name}`);

/** How many lines of a program are this package's: its imports, and what stands between the marks. */
function linesAdded(program: string): number {
  const marked = [...program.matchAll(/#region ws-with\n(.*?)\n[^\n]*#endregion/gs)].flatMap(([, text = '']) => text.split('\n'));
  const imports = [...program.matchAll(/^import [^;]* from 'ws-with[^']*';$/gm)].flatMap(([text]) => text.split('\n'));
  return [...marked, ...imports].filter((line) => line.trim() !== '').length;
}

test('every block of code of the pages is a file that is compiled and run here', () => {
  for (const { page, file, text } of blocks) {
    assert.notEqual(file, '', `${page} has a block that names no file`);
    assert.equal(text, read(file), `${page} differs from ${file}`);
  }
});

test('every program stands on a page', () => {
  const shown = new Set(blocks.map(({ file }) => file));
  assert.deepEqual(
    programs.filter((program) => !shown.has(program)),
    [],
  );
});

test('no recipe adds more than fifteen lines', () => {
  const added = programs.map((program) => ({ program, lines: linesAdded(read(program)) }));
  assert.deepEqual(
    added.filter(({ lines }) => lines > 15),
    [],
  );
  assert.ok(added.every(({ program, lines }) => lines > 0 || program === 'src/tokens.ts'));
});
