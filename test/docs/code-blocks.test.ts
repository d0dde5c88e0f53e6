import { describe, expect, it } from 'vitest';
import { codeModules } from './code-blocks.js';
import { complaintsAbout } from './compile.js';

const mark = '```';
const fence = (info: string, ...lines: string[]): string => [`${mark}${info}`, ...lines, mark, ''].join('\n');

describe('code blocks of a page', () => {
  it('keep the line numbers of the page and leave other languages out', () => {
    const [module, ...others] = codeModules(`# Title\n\n${fence('sh', 'npm ci')}\n${fence('ts', 'const a = 1;')}`);
    expect(others).toEqual([]);
    expect(module?.text.split('\n').indexOf('const a = 1;')).toBe(7);
  });

  it('are found inside a list', () => {
    expect(codeModules('- item\n\n  ```ts\n  const a = 1;\n  ```\n').map(({ text }) => text.trim())).toEqual(['const a = 1;']);
  });

  it('go on with the block before where they are marked so', () => {
    const modules = codeModules(fence('ts', 'const a = 1;') + fence('ts continue', 'export { a };') + fence('ts', 'const b = 2;'));
    expect(modules.map(({ text }) => text.trim().split(/\n+/))).toEqual([['const a = 1;', 'export { a };'], ['const b = 2;']]);
  });

  it('may name their file and their dialect of decorators', () => {
    const [module] = codeModules(fence('ts chat.ts legacy', 'export {};'));
    expect(module).toMatchObject({ fileName: 'chat.ts', legacyDecorators: true });
  });

  it('cannot be left out by a mark, nor continue nothing', () => {
    expect(() => codeModules(fence('ts ignore', 'nonsense'))).toThrow(TypeError);
    expect(() => codeModules(fence('ts continue', 'const a = 1;'))).toThrow(TypeError);
  });
});

describe('the compiler of code blocks', () => {
  it('complains with the line of the page', { timeout: 60_000 }, async () => {
    const modules = codeModules(
      `Text.\n\n${fence('ts', "import { name } from './other.js';", 'const count: number = name;')}${fence('ts other.ts', "export const name = 'x';")}`,
    );
    const other = codeModules(fence('ts other.ts', 'export const count = 1;'));
    expect(await complaintsAbout('made-up', { 'made-up.md': modules, 'other/made-up.md': other })).toEqual({
      'made-up.md': [expect.stringMatching(/^made-up\.md\(5,7\): error TS2322/)],
      'other/made-up.md': [],
    });
  });

  it('lets code that compiles pass, with both dialects of decorators in one page', { timeout: 60_000 }, async () => {
    const parameter = [
      'const mark = (..._: unknown[]): void => {};',
      'class A { constructor(@mark readonly b: string) {} }',
      'export { A };',
    ];
    const method = [
      'const mark = (_: () => void, context: ClassMethodDecoratorContext): void => void context.name;',
      'export class A { @mark b(): void {} }',
    ];
    const both = codeModules(fence('ts legacy', ...parameter) + fence('ts', ...method));
    const mistaken = codeModules(fence('ts', ...parameter));
    const complaints = await complaintsAbout('made-up-2', { 'both.md': both, 'mistaken.md': mistaken });
    expect(complaints['both.md']).toEqual([]);
    expect(complaints['mistaken.md']).not.toEqual([]);
  });
});
