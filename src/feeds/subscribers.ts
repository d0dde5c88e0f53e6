import type { FeedHealth } from '../contracts/revocation-feed.js';
import { kindOf } from '../kind-of.js';
import { ignore, ignorePromise, nothing } from '../maybe-promise.js';

/** Who listens: to what is told, and to that something may be missing. */
interface Subscriber<Told extends readonly unknown[]> {
  readonly on: (...told: Told) => void;
  readonly onGap: () => void;
  readonly health?: FeedHealth | undefined;
}

/** What all who listen share: it is begun for the first of them, and ended with the last. */
export interface SharedSubscription {
  /** Resolves once nothing can be missed any more without telling. */
  begin(): unknown;
  end(): unknown;
}

const nothingShared: SharedSubscription = { begin: nothing, end: nothing };

/** Those who listen to a feed or a broadcaster. What one of them does, throwing included, harms neither the others nor who tells them. */
export class Subscribers<Told extends readonly unknown[]> {
  readonly #subscribers = new Set<Subscriber<Told>>();
  /** What all of them wait for, until the last has left. */
  #beginning: unknown;

  tell(...told: Told): void {
    this.#each(({ on }) => on(...told));
  }

  tellGap(): void {
    this.#each(({ onGap }) => onGap());
  }

  /** It cannot go on. */
  tellFailed(error: unknown): void {
    this.#each(({ health }) => health?.failed(error));
  }

  /** It goes on again. */
  tellRestored(): void {
    this.#each(({ health }) => health?.restored());
  }

  /**
   * One more listens, once what all share has begun; rejects where it cannot.
   *
   * @returns what takes this one out again.
   * @throws {TypeError} (as a rejection) when a callback is no function.
   */
  async subscribe(owner: string, subscriber: Subscriber<Told>, shared: SharedSubscription = nothingShared): Promise<AsyncDisposable> {
    const { on, onGap } = subscriber;
    for (const [name, callback] of Object.entries({ on, onGap })) {
      if (typeof callback !== 'function') throw new TypeError(`${owner}.subscribe: ${name} must be a function, got ${kindOf(callback)}`);
    }
    this.#subscribers.add(subscriber);
    const end = async (): Promise<void> => {
      if (!this.#subscribers.delete(subscriber) || this.#subscribers.size > 0) return;
      this.#beginning = undefined;
      await shared.end();
    };
    try {
      this.#beginning ??= shared.begin();
      await this.#beginning;
    } catch (error) {
      await end();
      throw error;
    }
    return { [Symbol.asyncDispose]: end };
  }

  #each(tell: (subscriber: Subscriber<Told>) => void): void {
    for (const subscriber of [...this.#subscribers]) {
      // one that was told before it may have ended this one's subscription
      if (!this.#subscribers.has(subscriber)) continue;
      try {
        ignore(tell(subscriber));
      } catch (thrown) {
        ignorePromise(thrown);
      }
    }
  }
}
