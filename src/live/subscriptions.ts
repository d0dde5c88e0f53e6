import type { Runtime } from '../channel/runtime.js';
import type { Revocation, RevocationFeed } from '../contracts/revocation-feed.js';
import { withDeadline } from '../deadline.js';
import { ChannelError } from '../errors.js';
import { ignore, ignoreThrown } from '../maybe-promise.js';
import { FeedOutage } from './feed-outage.js';

/** How soon a subscription that failed is tried again at first, and at the latest. */
const firstRetryMs = 1_000;
const maxRetryMs = 60_000;

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

/** One attempt to subscribe; what comes of it after it was given up is nobody's. */
interface Attempt {
  isGivenUp: boolean;
}

/** The subscription to one feed: tried again where it fails. */
class Subscription {
  readonly #feed: RevocationFeed;
  readonly #runtime: Runtime;
  readonly #listener: FeedListener;
  readonly #outage: FeedOutage;
  /** Set until the first attempt has succeeded or failed. */
  starting: Promise<void> | undefined;
  #attempt: Attempt = { isGivenUp: false };
  #active: AsyncDisposable | undefined;
  #cancelRetry: (() => void) | undefined;
  #retryMs = firstRetryMs;
  readonly isAwaited: boolean;
  /** Whether somebody may have been looked up while there was no subscription. */
  #isLate: boolean;

  constructor(feed: RevocationFeed, runtime: Runtime, listener: FeedListener, isAwaited: boolean) {
    this.isAwaited = isAwaited;
    this.#isLate = !isAwaited;
    this.#feed = feed;
    this.#runtime = runtime;
    this.#listener = listener;
    this.#outage = new FeedOutage(runtime);
    this.starting = this.#try().then(() => {
      this.starting = undefined;
    });
  }

  async #try(): Promise<void> {
    const { clock, connectTimeoutMs: ms } = this.#runtime;
    const attempt: Attempt = { isGivenUp: false };
    this.#attempt = attempt;
    const onTimeout = (): Error => new Error(`The feed did not subscribe within ${ms} ms.`);
    try {
      this.#active = await withDeadline(() => this.#subscribe(attempt), { clock, ms, onTimeout });
    } catch (cause) {
      attempt.isGivenUp = true;
      this.#isLate = true;
      if (this.#attempt !== attempt) return; // stopped meanwhile
      this.#outage.notSubscribed(cause, this.#retryMs);
      this.#cancelRetry = clock.setTimer(() => void this.#try(), this.#retryMs);
      this.#retryMs = Math.min(2 * this.#retryMs, maxRetryMs);
      return;
    }
    this.#retryMs = firstRetryMs;
    this.#outage.over();
    if (this.#isLate) this.#tell(attempt, () => this.#listener.gap());
  }

  async #subscribe(attempt: Attempt): Promise<AsyncDisposable> {
    const active = await this.#feed.subscribe(
      (revocation) => this.#tell(attempt, () => this.#listener.revoked(revocation)),
      () => this.#tell(attempt, () => this.#listener.gap()),
      {
        failed: (error) => {
          ignoreThrown(error);
          if (!attempt.isGivenUp) this.#outage.notResumed(error);
        },
        restored: () => {
          if (!attempt.isGivenUp) this.#outage.over();
        },
      },
    );
    if (attempt.isGivenUp) dispose(active);
    return active;
  }

  #tell(attempt: Attempt, run: () => void): void {
    if (attempt.isGivenUp) return;
    try {
      run();
    } catch (cause) {
      this.#runtime.reporter.warn(
        new ChannelError('ERR_REVOCATION_FEED_FAILED', 'What a revocation feed told is no revocation.', { cause }),
      );
    }
  }

  async stop(): Promise<void> {
    this.#cancelRetry?.();
    this.#attempt.isGivenUp = true;
    this.#attempt = { isGivenUp: true };
    const { clock, connectTimeoutMs: ms, reporter } = this.#runtime;
    const active = this.#active;
    this.#active = undefined;
    if (active === undefined) return;
    try {
      const onTimeout = (): Error => new Error(`The feed did not end its subscription within ${ms} ms.`);
      await withDeadline(() => active[Symbol.asyncDispose](), { clock, ms, onTimeout });
    } catch (cause) {
      reporter.warn(
        new ChannelError('ERR_REVOCATION_FEED_FAILED', 'The subscription to a revocation feed did not end in order.', { cause }),
      );
    }
  }
}

/** Ends a subscription that nobody waits for any more. */
function dispose(active: Partial<AsyncDisposable> | undefined): void {
  try {
    ignore(active?.[Symbol.asyncDispose]?.());
  } catch {
    // there is nobody left to tell
  }
}
