import type { Runtime } from '../channel/runtime.js';
import type { Revocation, RevocationFeed } from '../contracts/revocation-feed.js';
import { ChannelError } from '../errors.js';
import { LastingSubscription, type LastingSubscriptionOwner, type SubscriptionAttempt } from '../feeds/lasting-subscription.js';
import { ignorePromise } from '../maybe-promise.js';
import type { TimeLimit } from '../time/deadline.js';
import { FeedOutage } from './feed-outage.js';

/** Who is told what feeds say. */
export interface FeedListener {
  revoked(revocation: Revocation): void;
  /** Something may have been missed. */
  gap(): void;
}

/** The subscriptions of a server: begun with its first look-up, and kept until it closes. */
export class Subscriptions {
  readonly #runtime: Runtime;
  readonly #listener: FeedListener;
  readonly #subscriptions = new Map<RevocationFeed, Subscription>();
  #isStopped = false;

  constructor(runtime: Runtime, listener: FeedListener) {
    this.#runtime = runtime;
    this.#listener = listener;
  }

  /**
   * Subscribes to feeds, each of them once; a promise while one of them is still being subscribed to for the first time. It never rejects.
   *
   * @param isAwaited whether nobody is looked up before: then nothing can have been missed.
   */
  start(feeds: Iterable<RevocationFeed>, isAwaited: boolean): Promise<void> | undefined {
    const starting: Promise<void>[] = [];
    for (const feed of feeds) {
      let subscription = this.#subscriptions.get(feed);
      if (subscription === undefined && !this.#isStopped) {
        subscription = new Subscription(feed, this.#runtime, this.#listener, isAwaited);
        this.#subscriptions.set(feed, subscription);
      }
      if (subscription?.starting !== undefined) starting.push(subscription.starting);
    }
    return starting.length === 0 ? undefined : Promise.all(starting).then(() => undefined);
  }

  /** Ends those that nobody waited for: an application may make what they belong to anew for every channel. */
  endLate(): void {
    for (const [feed, subscription] of this.#subscriptions) {
      if (subscription.isAwaited) continue;
      this.#subscriptions.delete(feed);
      void subscription.stop();
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(Array.from(this.#subscriptions.values(), (subscription) => subscription.stop()));
  }
}

/** The subscription to one feed. */
class Subscription implements LastingSubscriptionOwner {
  readonly #feed: RevocationFeed;
  readonly #runtime: Runtime;
  readonly #listener: FeedListener;
  readonly #outage: FeedOutage;
  readonly #lasting: LastingSubscription;
  /** Set until the first attempt has succeeded or failed. */
  starting: Promise<void> | undefined;
  readonly isAwaited: boolean;

  constructor(feed: RevocationFeed, runtime: Runtime, listener: FeedListener, isAwaited: boolean) {
    this.isAwaited = isAwaited;
    this.#feed = feed;
    this.#runtime = runtime;
    this.#listener = listener;
    this.#outage = new FeedOutage(runtime);
    this.#lasting = new LastingSubscription(this, !isAwaited); // somebody may have been looked up before, then
    this.starting = this.#lasting.tried.then(() => {
      this.starting = undefined;
    });
  }

  get timeLimit(): TimeLimit {
    return this.#runtime.timeLimit;
  }

  subscribe(attempt: SubscriptionAttempt): Promise<AsyncDisposable> {
    return this.#feed.subscribe(
      (revocation) => {
        if (!attempt.isGivenUp) this.#told(revocation);
      },
      () => {
        if (!attempt.isGivenUp) this.#listener.gap();
      },
      {
        failed: (error) => {
          ignorePromise(error);
          if (!attempt.isGivenUp) this.#outage.notResumed(error);
        },
        restored: () => {
          if (!attempt.isGivenUp) this.#outage.over();
        },
      },
    );
  }

  #told(revocation: Revocation): void {
    try {
      this.#listener.revoked(revocation);
    } catch (cause) {
      this.#warn('What a revocation feed told is no revocation: all live channels are looked up again.', cause);
      this.#listener.gap(); // it may have meant anything
    }
  }

  began(isLate: boolean): void {
    this.#outage.over();
    if (isLate) this.#listener.gap();
  }

  failed(cause: unknown, retryMs: number): void {
    this.#outage.notSubscribed(cause, retryMs);
  }

  notEnded(cause: unknown): void {
    this.#warn('The subscription to a revocation feed did not end in order.', cause);
  }

  #warn(text: string, cause: unknown): void {
    this.#runtime.reporter.warn(new ChannelError('ERR_REVOCATION_FEED_FAILED', text, { cause }));
  }

  stop(): Promise<void> {
    return this.#lasting.stop();
  }
}
