import { checkedOptions, checkOption, having, type Rules } from '../../src/checked-options.js';
import { type DependencyContainer, REVOCATION_FEED, registerInstance, SESSION_STORE, TICKET_STORE } from '../../src/injection.js';
import { aRedisClient } from './gateway-of.js';
import { broadcasterRules, RedisBroadcaster, type RedisBroadcasterOptions } from './redis-broadcaster.js';
import type { RedisClient } from './redis-client.js';
import { RedisRevocationFeed } from './redis-revocation-feed.js';
import { RedisSessionStore } from './redis-session-store.js';
import { RedisTicketStore } from './redis-ticket-store.js';

/** Options of {@link registerRedis}. */
export interface RegisterRedisOptions extends RedisBroadcasterOptions {
  /** The client, which the application opens and closes. */
  readonly client: RedisClient;
}

const owner = 'registerRedis';
const rules: Rules<RegisterRedisOptions> = { ...broadcasterRules, client: aRedisClient };

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
  checkOption(owner, 'container', container, having('a container of tsyringe', 'register'));
  const { client, shards, maxPendingBytes, ...shared } = checkedOptions(owner, options, rules, 'client');
  const sessions = new RedisSessionStore(client, shared);
  const tickets = new RedisTicketStore(client, shared);
  const feed = new RedisRevocationFeed(client, shared);
  const broadcaster = new RedisBroadcaster(client, { ...shared, shards, maxPendingBytes });
  registerInstance(container, sessions, SESSION_STORE, RedisSessionStore);
  registerInstance(container, tickets, TICKET_STORE, RedisTicketStore);
  registerInstance(container, feed, REVOCATION_FEED, RedisRevocationFeed);
  registerInstance(container, broadcaster, RedisBroadcaster);
  return { sessions, tickets, feed, broadcaster };
}
