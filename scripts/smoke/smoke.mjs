// What a user gets: the packed package, installed into an empty folder, imported, compiled and run there; and the example, started by
// the README's command. Nothing of this repository is on the way but the tarball.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../run.mjs';
import { checkEntryPoints, checkOldestPeers } from './entry-points.mjs';
import { checkExample } from './example.mjs';
import { checkPages } from './pages.mjs';
import { checkServer } from './server.mjs';

const manifest = JSON.parse(await readFile('package.json', 'utf8'));
const folder = await mkdtemp(join(tmpdir(), 'ws-with-smoke-'));
try {
  await run('npm', ['pack', '--workspace', '.', '--workspace', 'cli', '--pack-destination', folder]);
  const tarball = join(folder, `${manifest.name}-${manifest.version}.tgz`);
  await checkPages(folder, tarball);
  await checkPages(folder, join(folder, `${manifest.name}-cli-${manifest.version}.tgz`));
  await checkServer(join(folder, 'server'), tarball, manifest);
  await checkEntryPoints(join(folder, 'entry-points'), tarball, manifest);
  await checkOldestPeers(join(folder, 'oldest-peers'), tarball, manifest);
} finally {
  await rm(folder, { recursive: true, force: true });
}
await checkExample('key');
await checkExample('sessionid', ['--auth=session']);
console.log('\nThe package and the example work.');
