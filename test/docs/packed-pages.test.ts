import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { relativeLinksOf, withAddresses } from '../../scripts/packed-pages.mjs';
import { addressesOf } from '../../scripts/repository.mjs';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const manifestOf = async (folder: string) => JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'));
const repository = { url: 'git+https://example.com/a/b.git' };

describe.each(['.', 'cli'])('the tarball of %s', (folder) => {
  let copy: string;
  let files: Map<string, string>;

  /** Packs a copy, since others read the pages meanwhile; what is built is not packed, as no page leads to it. */
  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), 'ws-with-packed-'));
    await cp(join(root, 'scripts'), join(copy, 'scripts'), { recursive: true });
    await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
    await mkdir(join(copy, folder), { recursive: true });
    for (const page of ['README.md', 'CHANGELOG.md', 'LICENSE'])
      await cp(join(root, folder, page), join(copy, folder, page)).catch(() => {});
    const { workspaces: _, ...manifest } = await manifestOf(folder);
    manifest.scripts.build = 'node --version';
    await writeFile(join(copy, folder, 'package.json'), JSON.stringify(manifest));
    await run('npm', ['pack', '--pack-destination', copy], { cwd: join(copy, folder) });
    await run('tar', ['-xzf', join(copy, `${manifest.name}-${manifest.version}.tgz`), '-C', copy]);
    const { stdout } = await run('tar', ['-tzf', join(copy, `${manifest.name}-${manifest.version}.tgz`)]);
    const packed = stdout.trim().split('\n');
    files = new Map(await Promise.all(packed.map(async (path) => [path, await readFile(join(copy, path), 'utf8')] as const)));
  });
  afterAll(() => rm(copy, { recursive: true, force: true }));

  it('has pages whose links lead to nothing that is not in it', () => {
    const pages = [...files].filter(([path]) => path.endsWith('.md'));
    const broken = pages.flatMap(([path, text]) =>
      relativeLinksOf(text).flatMap(({ url }) => (files.has(join('package', url)) ? [] : [`${path}: ${url}`])),
    );
    expect(pages.map(([path]) => path)).toContain('package/README.md');
    expect(broken).toEqual([]);
  });

  it('leaves the pages of the repository as they were', async () => {
    const page = join(folder, 'README.md');
    expect(await readFile(join(copy, page), 'utf8')).toBe(await readFile(join(root, page), 'utf8'));
  });

  it('says where the repository is, and all that hangs on it', async () => {
    const manifest = await manifestOf(folder);
    const { homepage, issues } = addressesOf(manifest);
    expect({ homepage: manifest.homepage, bugs: manifest.bugs }).toEqual({ homepage, bugs: issues });
    expect(manifest.repository.url).toBe((await manifestOf('.')).repository.url);
  });
});

describe('the links of a packed page', () => {
  it.each([
    ['[a](docs/a.md)', '[a](https://example.com/a/b/blob/HEAD/docs/a.md)'],
    [
      '[`a.md`](a.md#part "a.md") and [b](./b/c.ts)',
      '[`a.md`](https://example.com/a/b/blob/HEAD/a.md#part "a.md") and [b](https://example.com/a/b/blob/HEAD/b/c.ts)',
    ],
    ['[![a](images/a.png)](a.md)', '[![a](https://example.com/a/b/raw/HEAD/images/a.png)](https://example.com/a/b/blob/HEAD/a.md)'],
    ['[a][b]\n\n[b]: c.md', '[a][b]\n\n[b]: https://example.com/a/b/blob/HEAD/c.md'],
    ['[a](#part) [b](https://example.org/b.md) `[c](c.md)`', '[a](#part) [b](https://example.org/b.md) `[c](c.md)`'],
  ])('are addresses: %s', (page, packed) => {
    expect(withAddresses(page, { repository })).toBe(packed);
  });

  it('lead from a folder of the repository to what is beside it', () => {
    expect(withAddresses('[a](../docs/a.md)', { repository: { ...repository, directory: 'cli' } })).toBe(
      '[a](https://example.com/a/b/blob/HEAD/docs/a.md)',
    );
  });
});

describe('where the repository is', () => {
  it('is said in one place, and must be said before anything is published', async () => {
    const copy = await mkdtemp(join(tmpdir(), 'ws-with-repository-'));
    const say = (...address: string[]) => run('node', [join(copy, 'scripts/set-repository.mjs'), ...address]);
    try {
      await cp(join(root, 'scripts'), join(copy, 'scripts'), { recursive: true });
      await mkdir(join(copy, 'cli'));
      const unset = { repository: { type: 'git', url: 'git+https://github.com/OWNER/ws-with.git' } };
      await writeFile(join(copy, 'package.json'), JSON.stringify(unset));
      await writeFile(join(copy, 'cli/package.json'), JSON.stringify({ repository: { ...unset.repository, directory: 'cli' } }));
      await expect(say()).rejects.toMatchObject({ code: 1 });
      await expect(say('http://example.com/a/b')).rejects.toMatchObject({ code: 1 });
      await say('https://example.com/a/b.git');
      await say();
      expect(JSON.parse(await readFile(join(copy, 'cli/package.json'), 'utf8'))).toEqual({
        repository: { type: 'git', url: 'git+https://example.com/a/b.git', directory: 'cli' },
        homepage: 'https://example.com/a/b/tree/HEAD/cli#readme',
        bugs: 'https://example.com/a/b/issues',
      });
    } finally {
      await rm(copy, { recursive: true, force: true });
    }
  });
});
