import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { compileStrictly, createApplication, install } from './application.mjs';

const execute = promisify(execFile);

/**
 * Imports every entry point of the package, first without the optional peers: then each either works or misses one of them, by name,
 * and none of the required ones does. With them, all work and compile.
 */
export async function checkEntryPoints(folder, tarball, manifest) {
  const { name, devDependencies, peerDependencies, peerDependenciesMeta = {} } = manifest;
  const entryPoints = entryPointsOf(manifest);
  const optional = Object.keys(peerDependenciesMeta).filter((peer) => peerDependenciesMeta[peer].optional);
  const missing = new RegExp(`Cannot find package '(${optional.join('|')})'`);
  const versionOf = (dependency) => `${dependency}@${devDependencies[dependency] ?? peerDependencies[dependency]}`;

  await createApplication(folder, [tarball, ...['@types/ws', 'typescript'].map(versionOf)]);
  const withoutPeers = [
    name,
    `${name}/client`,
    `${name}/express`,
    `${name}/memory`,
    `${name}/rate-limit`,
    `${name}/redis`,
    `${name}/testing`,
  ];
  for (const entryPoint of entryPoints) {
    const failure = await importFailure(folder, entryPoint);
    if (failure && (withoutPeers.includes(entryPoint) || optional.length === 0 || !missing.test(failure))) throw new Error(failure);
    console.log(`import '${entryPoint}': ${failure ? 'wants its optional peer' : 'works'}`);
  }

  if (optional.length > 0) await install(folder, optional.map(versionOf));
  await checkAll(folder, entryPoints);
  console.log(`with all peers: ${entryPoints.join(', ')} work`);
}

/** With the oldest versions of all peers that the package allows, every entry point works, and compiles with the oldest TypeScript that the README names. */
export async function checkOldestPeers(folder, tarball, manifest) {
  const { devDependencies, peerDependencies } = manifest;
  const oldest = Object.entries(peerDependencies).map(([peer, range]) => `${peer}@${/\d+\.\d+\.\d+/.exec(range)[0]}`);
  await createApplication(folder, [tarball, ...oldest, 'typescript@5.4', `@types/node@${devDependencies['@types/node']}`]);
  await checkAll(folder, entryPointsOf(manifest), ['--target', 'es2022', '--module', 'nodenext']);
  console.log(`all entry points work with ${oldest.join(', ')}`);
}

function entryPointsOf({ name, exports }) {
  return Object.keys(exports)
    .filter((path) => path !== './package.json')
    .map((path) => name + path.slice(1));
}

async function checkAll(folder, entryPoints, options = []) {
  for (const entryPoint of entryPoints) {
    const failure = await importFailure(folder, entryPoint);
    if (failure) throw new Error(failure);
  }
  await writeFile(join(folder, 'all.ts'), entryPoints.map((entryPoint, index) => `export * as e${index} from '${entryPoint}';\n`).join(''));
  await compileStrictly(folder, 'all.ts', ['--noEmit', ...options]);
}

/** What Node says when an application imports the entry point, or `undefined` if it imports something. */
async function importFailure(folder, entryPoint) {
  const source = `if (Object.keys(await import('${entryPoint}')).length === 0) throw new Error('${entryPoint} exports nothing');`;
  try {
    await execute(process.execPath, ['--input-type=module', '--eval', source], { cwd: folder });
    return undefined;
  } catch (error) {
    return error.stderr || String(error);
  }
}
