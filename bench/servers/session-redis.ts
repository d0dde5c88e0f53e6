// Sessions of users in Redis, at the URL that is given, under names of this process's own.
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { RedisSessionStore } from 'ws-with/redis';
import { serveSessionsIn } from './session-in-store.js';

const prefix = `ws-with-bench-${randomUUID()}:`;
serveSessionsIn(new RedisSessionStore(new Redis(process.argv[2] as string), { prefix }));
