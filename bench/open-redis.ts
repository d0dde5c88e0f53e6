import { startRedis } from '../test/support/redis-server.js';

/** A Redis that may be somebody else's, which then stays. */
export interface OpenRedis extends AsyncDisposable {
  readonly url: string;
}

/** The Redis at `REDIS_URL`, or one of our own, which keeps nothing; rejects where there is none to be had. */
export async function openRedis(): Promise<OpenRedis> {
  const given = process.env['REDIS_URL'];
  if (given) return { url: given, [Symbol.asyncDispose]: async () => {} };
  const server = await startRedis();
  return { url: `redis://127.0.0.1:${server.port}`, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}
