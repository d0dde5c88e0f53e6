import type { FeedHealth, Revocation } from './contracts/revocation-feed.js';
import { kindOf } from './kind-of.js';
import { ignore, ignoreThrown } from './maybe-promise.js';

interface Subscriber {
  readonly on: (revocation: Revocation) => void;
  readonly onGap: () => void;
  readonly health: FeedHealth | undefined;
}

/** Those who listen to a feed. What one of them does, throwing included, harms neither the others nor the feed. */
export class FeedSubscribers {
  readonly #subscribers = new Set<Subscriber>();

  get size(): number {
    return this.#subscribers.size;
  }

  /**
   * @returns what takes this subscriber out again, and says whether it was there.
   * @throws {TypeError} when a callback is no function.
   */
  add(owner: string, on: (revocation: Revocation) => void, onGap: () => void, health?: FeedHealth): () => boolean {
    for (const [name, callback] of Object.entries({ on, onGap })) {
      if (typeof callback !== 'function') throw new TypeError(`${owner}.subscribe: ${name} must be a function, got ${kindOf(callback)}`);
    }
    const subscriber: Subscriber = { on, onGap, health };
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  tell(revocation: Revocation): void {
    this.#each(({ on }) => on(revocation));
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

  #each(tell: (subscriber: Subscriber) => void): void {
    for (const subscriber of [...this.#subscribers]) {
      // one that was told before it may have ended this one's subscription
      if (!this.#subscribers.has(subscriber)) continue;
      try {
        ignore(tell(subscriber));
      } catch (thrown) {
        ignoreThrown(thrown);
      }
    }
  }
}
