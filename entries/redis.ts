export type { RedisOptions } from '../adapters/redis/options.js';
export { RedisBroadcaster, type RedisBroadcasterOptions } from '../adapters/redis/redis-broadcaster.js';
export type { IoredisClient, NodeRedisClient, RedisClient } from '../adapters/redis/redis-client.js';
export { RedisRevocationFeed, type RedisRevocationFeedOptions } from '../adapters/redis/redis-revocation-feed.js';
export { type RedisSessionOptions, RedisSessionStore } from '../adapters/redis/redis-session-store.js';
export { type RedisTicketOptions, RedisTicketStore } from '../adapters/redis/redis-ticket-store.js';
export { type RegisteredRedis, type RegisterRedisOptions, registerRedis } from '../adapters/redis/register-redis.js';
export type { DependencyContainer } from '../src/injection.js';
