import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sourcePathsOf } from '../../src/migrate/source-paths.js';
import { wantsColour } from '../../src/output.js';
import { runCommandLine } from '../../src/program.js';

const before = "import { withUserFromHttp } from 'ws-with';\nexport const connect = withUserFromHttp(() => {});\n";
const after = before.replaceAll('withUserFromHttp', 'withUserFromToken');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ws-with-migrate-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(path: string, text: string | Uint8Array = before): Promise<string> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  return file;
}

const read = (path: string): Promise<string> => readFile(join(folder, path), 'utf8');

async function migrate(args: readonly string[], colour?: boolean): Promise<{ code: number; out: string; error: string }> {
  const out: string[] = [];
  const error: string[] = [];
  const code = await runCommandLine(['migrate', ...args], { out: (text) => out.push(text), error: (text) => error.push(text), colour });
  return { code, out: out.join('\n'), error: error.join('\n') };
}

describe('ws-with migrate', () => {
  it('shows what would change, writes nothing, and ends with 0', async () => {
    const file = await put('chat.ts');
    const { code, out } = await migrate([file]);
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual(
      expect.arrayContaining(["-import { withUserFromHttp } from 'ws-with';", "+import { withUserFromToken } from 'ws-with';"]),
    );
    expect(await read('chat.ts')).toBe(before);
  });

  it('ends with 3 under --check where something would change, and with 0 where nothing would', async () => {
    const file = await put('chat.ts');
    expect((await migrate([file, '--check'])).code).toBe(3);
    expect((await migrate([file, '--check', '--to', 'dual'])).code).toBe(3);
    await writeFile(file, after);
    expect((await migrate([file, '--check'])).code).toBe(0);
    expect((await migrate([file, '--check', '--write'])).code).toBe(2);
    expect((await migrate([file, '--to', 'session'])).code).toBe(2);
  });

  it('writes with --write, keeps modes, leaves nothing beside, and has nothing to do the second time', async () => {
    const file = await put('chat.ts');
    await chmod(file, 0o754);
    expect((await migrate([file, '--write'])).code).toBe(0);
    expect(await read('chat.ts')).toBe(after);
    expect((await stat(file)).mode & 0o7777).toBe(0o754);
    expect(await readdir(folder)).toEqual(['chat.ts']);
    const { mtimeMs } = await stat(file);
    expect((await migrate([file, '--write'])).code).toBe(0);
    expect((await stat(file)).mtimeMs).toBe(mtimeMs);
  });

  it('has colours where it is told to, and none of them in JSON', async () => {
    const file = await put('chat.ts', `${before}// \u001b[2J\n`);
    expect((await migrate([file], true)).out).toContain("\u001b[32m+import { withUserFromToken } from 'ws-with';\u001b[0m");
    expect((await migrate([file], true)).out).not.toContain('\u001b[2J');
    expect((await migrate([file], false)).out).not.toContain('\u001b');
    const { out } = await migrate([file, '--json'], true);
    expect(out).not.toContain('\u001b');
    expect(JSON.parse(out)).toMatchObject({ files: 1, written: false, changed: [{ file }], findings: [], failures: [] });
  });

  it.each([
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '' }, true, true],
    [{ FORCE_COLOR: '1' }, false, true],
    [{ FORCE_COLOR: '0' }, true, false],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false, true],
    [{ TERM: 'dumb' }, true, false],
  ])('asks %o on a terminal (%s) for colours: %s', (environment, isTerminal, colours) => {
    expect(wantsColour(environment, isTerminal)).toBe(colours);
  });

  it('reports what does not parse with its place, goes on with the others, and ends with 1', async () => {
    await put('a.ts', 'const a = 1;\nconst = 2;\n');
    await put('b.ts');
    await put('c.js', new Uint8Array([0xff, 0xfe, 0x00]));
    const { code, error } = await migrate([folder, '--write']);
    expect(code).toBe(1);
    expect(error).toContain(`${join(folder, 'a.ts')}:2:7`);
    expect(error).toContain(join(folder, 'c.js'));
    expect(await read('b.ts')).toBe(after);
  });

  it('says what it did not decide with file, line and column', async () => {
    const file = await put('chat.ts', "import { withUserFromHttp } from 'ws-with';\n\n  export default (x) => withUserFromHttp(x);\n");
    expect((await migrate([file])).out).toContain(`${file}:3:25 `);
    expect(JSON.parse((await migrate([file, '--json'])).out)).toMatchObject({
      changed: [],
      findings: [{ file, line: 3, column: 25, code: 'argument-unknown', kind: 'undecided' }],
    });
  });

  it('reports hand-written sessions with --from ws-session, and rewrites nothing', async () => {
    const file = await put('server.js', "wss.on('connection', (ws, req) => { sessionParser(req, {}, () => {}); });\n");
    expect((await migrate([file, '--from', 'ws-session'])).code).toBe(0);
    expect((await migrate([file, '--from', 'ws-session', '--check'])).code).toBe(3);
    const { out } = await migrate([file, '--from', 'ws-session', '--write']);
    expect(out).toContain(`${file}:1:1 `);
    expect(out).toContain('new ExpressSessionReader(sessionParser)');
    expect(await read('server.js')).toContain('sessionParser(req, {}');
  });

  it('ends with 2 where a path names nothing, or no source', async () => {
    await put('notes.md', 'x');
    for (const path of ['nowhere', 'nowhere/*.ts', 'notes.md']) expect((await migrate([join(folder, path)])).code).toBe(2);
  });
});

describe('the paths of ws-with migrate', () => {
  const shown = async (...paths: string[]) => (await sourcePathsOf(paths, folder)).map((path) => path.shown);

  it('are all sources below a folder but for what is installed, built, hidden or declared', async () => {
    const sources = ['a.ts', 'b.tsx', 'c.mts', 'd.cts', 'deep/er/e.js', 'f.jsx', 'g.mjs', 'h.cjs'];
    const others = [
      'node_modules/x/a.ts',
      'deep/node_modules/a.js',
      'dist/a.js',
      '.git/a.js',
      'deep/.cache/a.ts',
      '.eslintrc.cjs',
      'a.d.ts',
      'b.json',
      'README.md',
    ];
    for (const path of [...sources, ...others]) await put(path);
    expect(await shown('.')).toEqual(sources.toSorted());
    expect(await shown(folder)).toEqual(sources.toSorted());
  });

  it('may be files, globs and folders at once, each file once', async () => {
    for (const path of ['a.ts', 'b.ts', 'deep/c.ts', 'deep/d.js']) await put(path);
    expect(await shown('a.ts', '*.ts', './a.ts', 'deep')).toEqual(['a.ts', 'b.ts', 'deep/c.ts', 'deep/d.js']);
    expect(await shown('**/*.{js,cjs}')).toEqual(['deep/d.js']);
  });

  it('that are named themselves are taken wherever they are', async () => {
    await put('dist/a.js');
    expect(await shown('dist')).toEqual(['dist/a.js']);
    expect(await shown('dist/a.js')).toEqual(['dist/a.js']);
  });

  it('lead through links only within the working directory', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'ws-with-outside-'));
    try {
      await writeFile(join(outside, 'secret.ts'), before);
      await put('a.ts');
      await symlink(outside, join(folder, 'out'));
      await symlink(join(outside, 'secret.ts'), join(folder, 'secret.ts'));
      await symlink(join(folder, 'a.ts'), join(folder, 'b.ts'));
      await symlink(folder, join(folder, 'loop'));
      expect(await shown('.')).toEqual(['a.ts']);
      expect(await shown('*.ts', 'b.ts')).toEqual(['a.ts']);
      for (const path of ['out', 'secret.ts', 'out/secret.ts', 'out/*.ts']) await expect(shown(path)).rejects.toThrow();
    } finally {
      await rm(outside, { recursive: true });
    }
  });
});
