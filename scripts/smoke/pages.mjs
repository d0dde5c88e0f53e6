import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { relativeLinksOf } from '../packed-pages.mjs';

const execute = promisify(execFile);

/** The pages of a tarball stand on their own: no link leads to a file that is not in it. */
export async function checkPages(folder, tarball) {
  const { stdout } = await execute('tar', ['-tzf', tarball]);
  const files = stdout.trim().split('\n');
  await execute('tar', ['-xzf', tarball, '-C', folder]);
  for (const page of files.filter((file) => file.endsWith('.md'))) {
    const broken = relativeLinksOf(await readFile(join(folder, page), 'utf8')).filter(({ url }) => !files.includes(join('package', url)));
    if (broken.length > 0) throw new Error(`${tarball}: ${page} leads to ${broken.map(({ url }) => url).join(', ')}`);
  }
}
