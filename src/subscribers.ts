import { kindOf } from './kind-of.js';
import { ignore, ignoreThrown } from './maybe-promise.js';

/** Who listens: to what is told, and to that something may be missing. */
export interface Subscriber {
  readonly on: (...told: never[]) => void;
  readonly onGap: () => void;
}

/** Those who listen to a feed or a broadcaster. What one of them does, throwing included, harms neither the others nor who tells them. */
export abstract class Subscribers<Listener extends Subscriber> {
  readonly #subscribers = new Set<Listener>();

  get size(): number {
    return this.#subscribers.size;
  }

  tellGap(): void {
    this.each(({ onGap }) => onGap());
  }

  /**
   * @returns what takes this subscriber out again, and says whether it was there.
   * @throws {TypeError} when a callback is no function.
   */
  protected enter(owner: string, subscriber: Listener): () => boolean {
    const { on, onGap } = subscriber;
    for (const [name, callback] of Object.entries({ on, onGap })) {
      if (typeof callback !== 'function') throw new TypeError(`${owner}.subscribe: ${name} must be a function, got ${kindOf(callback)}`);
    }
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  protected each(tell: (subscriber: Listener) => void): void {
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
