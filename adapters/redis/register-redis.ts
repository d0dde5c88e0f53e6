import { checkOption, having } from '../../src/checked-options.js';
import { type DependencyContainer, REVOCATION_FEED, SESSION_STORE, TICKET_STORE } from '../../src/injection.js';
import type { RedisOptions } from './options.js';
import { RedisBroadcaster, type RedisBroadcasterOptions } from './redis-broadcaster.js';
import type { RedisClient } from './redis-client.js';
import { RedisRevocationFeed } from './redis-revocation-feed.js';
import { RedisSessionStore } from './redis-session-store.js';
import { RedisTicketStore } from './redis-ticket-store.js';

/** Options of {@link registerRedis}. */
export interface RegisterRedisOptions extends RedisBroadcasterOptions {
  /** The client, which the application opens and closes. */
  readonly client: RedisClient;
}

/** What {@link registerRedis} has registered, and a broadcaster for `Groups`. */
export interface RegisteredRedis {
  readonly sessions: RedisSessionStore;
  readonly tickets: RedisTicketStore;
  readonly feed: RedisRevocationFeed;
  readonly broadcaster: RedisBroadcaster;
}

/**
 * Registers sessions, tickets and the feed of revocations on Redis: one instance of each, under `SESSION_STORE`, `TICKET_STORE` and
 * `REVOCATION_FEED`, and under its own class; the broadcaster under its class. Nothing has to be closed but the client.
 *
 * @throws {TypeError} when an option is missing or out of its range.
 */
export function registerRedis(container: DependencyContainer, options: RegisterRedisOptions): RegisteredRedis {
  checkOption('registerRedis', 'container', container, having('a container of tsyringe', 'register'));
  const { client, shards, maxPendingBytes, ...shared } = options ?? {};
  if (client === undefined) throw new TypeError('registerRedis: the option client must be a client of ioredis or redis, got undefined');
  const each: RedisOptions = shared;
  const sessions = new RedisSessionStore(client, each);
  const tickets = new RedisTicketStore(client, each);
  const feed = new RedisRevocationFeed(client, each);
  const broadcaster = new RedisBroadcaster(client, { ...each, shards, maxPendingBytes });
  container.register(SESSION_STORE, { useFactory: () => sessions });
  container.register(TICKET_STORE, { useFactory: () => tickets });
  container.register(REVOCATION_FEED, { useFactory: () => feed });
  container.register(RedisSessionStore, { useFactory: () => sessions });
  container.register(RedisTicketStore, { useFactory: () => tickets });
  container.register(RedisRevocationFeed, { useFactory: () => feed });
  container.register(RedisBroadcaster, { useFactory: () => broadcaster });
  return { sessions, tickets, feed, broadcaster };
}
