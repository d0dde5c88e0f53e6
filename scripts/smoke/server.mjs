import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compileStrictly, createApplication } from './application.mjs';
import { startProcess } from './process.mjs';

/** Compiles a ten-line server as a user would, without a tsconfig, and has it tell a client who it is. */
export async function checkServer(folder, tarball, { devDependencies }) {
  const packages = ['ws', '@types/ws', 'typescript'].map((name) => `${name}@${devDependencies[name]}`);
  await createApplication(folder, [tarball, ...packages]);
  for (const file of ['server.ts', 'client.mjs']) await copyFile(new URL(`application/${file}`, import.meta.url), join(folder, file));
  await compileStrictly(folder, 'server.ts', ['--noEmit', '--module', 'nodenext']);
  await compileStrictly(folder, 'server.ts');

  const server = startProcess('node', ['server.js'], { cwd: folder });
  try {
    const [, port, key] = await server.line(/^listening on (\d+), key (\S+)$/m);
    const client = startProcess('node', ['client.mjs', port, key], { cwd: folder });
    await client.line(/^hello ada$/m);
    await client.end();
  } finally {
    await server.end();
  }
}
