import { hash } from 'node:crypto';

/** A Lua script, and the digest that the server knows it by once it has seen it. */
export interface RedisScript {
  readonly source: string;
  readonly digest: string;
}

export function redisScript(source: string): RedisScript {
  return { source, digest: hash('sha1', source, 'hex') };
}
