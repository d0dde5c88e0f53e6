import { checkedOptions } from '../../src/checked-options.js';
import type { FeedHealth, Revocation, RevocationFeed } from '../../src/contracts/revocation-feed.js';
import { type SharedSubscription, Subscribers } from '../../src/feeds/subscribers.js';
import { warningOfUnreadable } from '../../src/feeds/unreadable-messages.js';
import { Operations } from './operations.js';
import { type RedisOptions, redisRules } from './options.js';
import type { RedisClient } from './redis-client.js';
import { revocationOf, textOfRevocation } from './revocation-message.js';
import { RedisSubscription } from './subscription.js';

/** Options of {@link RedisRevocationFeed}. */
export type RedisRevocationFeedOptions = RedisOptions;

const owner = 'RedisRevocationFeed';

/**
 * Tells all processes of the revocations that are published on it. It does not see what is deleted in a database. All subscribers share one
 * connection. What is published while that is lost does not come again, and subscribers are told of a gap.
 */
export class RedisRevocationFeed implements RevocationFeed {
  /** After how many milliseconds an operation is given up. */
  readonly timeoutMs: number;
  readonly #operations: Operations;
  readonly #channel: string;
  readonly #subscribers = new Subscribers<[Revocation]>();
  readonly #warnOfUnreadable: () => void;
  #subscription: RedisSubscription | undefined;
  readonly #shared: SharedSubscription = { begin: () => this.#begin(), end: () => this.#stop() };

  /** @throws {TypeError} when `client` is none of `ioredis` or `redis`, or an option is out of its range. */
  constructor(client: RedisClient, options: RedisRevocationFeedOptions = {}) {
    this.#operations = new Operations(owner, client, checkedOptions(owner, options, redisRules));
    this.timeoutMs = this.#operations.timeoutMs;
    this.#channel = `${this.#operations.prefix}revocations`;
    this.#warnOfUnreadable = warningOfUnreadable(`${owner}: the channel ${this.#channel}`, 'ERR_REVOCATION_FEED_FAILED');
  }

  subscribe(on: (revocation: Revocation) => void, onGap: () => void, health?: FeedHealth): Promise<AsyncDisposable> {
    return this.#subscribers.subscribe(owner, { on, onGap, health }, this.#shared);
  }

  /**
   * As the contract says.
   *
   * @throws {TypeError} (as a rejection) when it is no revocation.
   */
  async publish(revocation: Revocation): Promise<void> {
    const text = textOfRevocation(`${owner}.publish`, revocation);
    await this.#operations.publish('publish a revocation', this.#channel, text);
  }

  /** A message that cannot be read may have meant anything. */
  #tell(text: string): void {
    let revocation: Revocation;
    try {
      revocation = revocationOf(text);
    } catch {
      this.#warnOfUnreadable();
      this.#subscribers.tellGap();
      return;
    }
    this.#subscribers.tell(revocation);
  }

  #begin(): Promise<void> {
    const subscription = new RedisSubscription(this.#operations, this.#channel, {
      message: (data) => this.#tell(data.toString()),
      gap: () => this.#subscribers.tellGap(),
      failed: (error) => this.#subscribers.tellFailed(error),
      restored: () => this.#subscribers.tellRestored(),
    });
    this.#subscription = subscription;
    return subscription.open();
  }

  #stop(): void {
    this.#subscription?.close();
    this.#subscription = undefined;
  }
}
