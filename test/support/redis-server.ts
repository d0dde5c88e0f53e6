/** The one place that starts a real `redis-server` (or Valkey's), for tests and benchmarks. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './free-port.js';
import { pause } from './pause.js';

const run = promisify(execFile);

/** A server that is nobody else's, on a free port of 127.0.0.1. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  /** Where it writes to the disk. */
  readonly folder: string;
  /** `SIGSTOP`: its connections stay open, and nothing answers from when this resolves. */
  pause(): Promise<void>;
  /** `SIGCONT`. */
  resume(): void;
  /** `SIGKILL`; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again, on its port and what it has written down; resolves when it answers. */
  restart(): Promise<void>;
  /** The reply to a command, on a connection of its own. */
  ask(...command: readonly string[]): Promise<string>;
}

/** Options of {@link startRedis}. */
export interface RedisServerOptions {
  /** Whether each write is on the disk before it is answered. @default false */
  readonly isDurable?: boolean;
  /** Whether it is a node of a cluster, which has no slots yet. @default false */
  readonly isClusterNode?: boolean;
}

async function programPath(): Promise<string> {
  for (const name of [process.env.REDIS_SERVER, 'redis-server', 'valkey-server']) {
    if (!name) continue;
    try {
      await run(name, ['--version'], { timeout: 20_000 });
      return name;
    } catch {
      // the next one
    }
  }
  throw new Error(
    'These tests need a Redis or Valkey server: install the package redis-server or valkey-server (Debian, Ubuntu), redis (Fedora, Homebrew), ' +
      'or name the program in REDIS_SERVER.',
  );
}

/** @throws {Error} saying what to install, where there is no server. */
export async function startRedis({ isDurable = false, isClusterNode = false }: RedisServerOptions = {}): Promise<RedisServer> {
  const program = await programPath();
  const folder = await mkdtemp(join(tmpdir(), 'ws-with-redis-'));
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder];
  if (isDurable) args.push('--appendonly', 'yes', '--appendfsync', 'always');
  if (isClusterNode) args.push('--cluster-enabled', 'yes', '--cluster-node-timeout', '30000');
  let child: ChildProcess;
  const ask = (...command: readonly string[]): Promise<string> => askServer(port, command);
  const start = async (): Promise<void> => {
    child = spawn(program, args, { stdio: 'ignore' });
    await untilReady(async () => (await ask('PING')) === '+PONG\r\n');
  };
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  await start();
  return {
    port,
    folder,
    ask,
    kill,
    restart: start,
    pause: () => pause(child),
    resume: () => void child.kill('SIGCONT'),
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function untilReady(isReady: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 750; tries += 1) {
    if (await isReady().catch(() => false)) return;
    await wait(20);
  }
  throw new Error('The server was not ready in a quarter of a minute.');
}

async function askServer(port: number, command: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  try {
    socket.setTimeout(5_000, () => socket.destroy(new Error('It does not answer.')));
    await once(socket, 'connect');
    socket.write(`*${command.length}\r\n${command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`);
    const [reply] = (await once(socket, 'data')) as [Buffer];
    return reply.toString();
  } finally {
    socket.destroy();
  }
}

/** A cluster of so many nodes, each with its part of the slots. */
export async function startRedisCluster(count: number): Promise<readonly RedisServer[]> {
  const nodes = await Promise.all(Array.from({ length: count }, () => startRedis({ isClusterNode: true })));
  const size = Math.ceil(16_384 / count);
  for (const [index, node] of nodes.entries()) {
    await node.ask('CLUSTER', 'ADDSLOTSRANGE', String(index * size), String(Math.min(16_384, (index + 1) * size) - 1));
    await node.ask('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
    await nodes[0]!.ask('CLUSTER', 'MEET', '127.0.0.1', String(node.port));
  }
  for (const node of nodes) {
    await untilReady(async () => {
      const info = await node.ask('CLUSTER', 'INFO');
      return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${count}`);
    });
  }
  return nodes;
}
