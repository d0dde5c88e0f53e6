import { checkBroadcastCallbacks } from './check-broadcast.js';
import { ignore, ignoreThrown } from './maybe-promise.js';

interface Subscriber {
  readonly on: (group: string, data: string | Uint8Array) => void;
  readonly onGap: () => void;
}

/** Those who listen to a broadcaster. What one of them does, throwing included, harms neither the others nor the broadcaster. */
export class BroadcastSubscribers {
  readonly #subscribers = new Set<Subscriber>();

  get size(): number {
    return this.#subscribers.size;
  }

  /**
   * @returns what takes this subscriber out again, and says whether it was there.
   * @throws {TypeError} when a callback is no function.
   */
  add(owner: string, on: Subscriber['on'], onGap: () => void): () => boolean {
    checkBroadcastCallbacks(`${owner}.subscribe`, on, onGap);
    const subscriber: Subscriber = { on, onGap };
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  tell(group: string, data: string | Uint8Array): void {
    this.#each(({ on }) => on(group, data));
  }

  tellGap(): void {
    this.#each(({ onGap }) => onGap());
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
