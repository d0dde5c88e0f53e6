import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';

/** A Redis: the one at `REDIS_URL`, or one of our own, which keeps nothing. */
export class RedisProcess implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess | undefined;

  private constructor(url: string, child: ChildProcess | undefined) {
    this.url = url;
    this.#child = child;
  }

  /** Resolves once it answers; rejects where there is no `redis-server`. */
  static async start(): Promise<RedisProcess> {
    const given = process.env['REDIS_URL'];
    if (given) return new RedisProcess(given, undefined);
    const port = await freePort();
    const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], {
      stdio: 'ignore',
    });
    await once(child, 'spawn');
    const redis = new RedisProcess(`redis://127.0.0.1:${port}`, child);
    for (let attempt = 0; attempt < 100; attempt += 1) {
      if (await answers(redis.url)) return redis;
      await delay(50);
    }
    child.kill();
    throw new Error('redis-server did not answer within 5 s.');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child === undefined) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill();
    await gone;
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
