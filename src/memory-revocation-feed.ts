import type { Revocation, RevocationFeed } from './contracts/revocation-feed.js';
import { kindOf } from './kind-of.js';

interface Subscriber {
  readonly on: (revocation: Revocation) => void;
}

/**
 * Carries revocations within one process: whoever subscribes is told in the very call that publishes, so there is never a gap.
 *
 * Adapters hold one for what they end themselves (`revocations`), which therefore needs no database to be acted on.
 */
export class MemoryRevocationFeed implements RevocationFeed {
  readonly #subscribers = new Set<Subscriber>();

  /** @throws {TypeError} (as a rejection) when `on` is no function. */
  async subscribe(on: (revocation: Revocation) => void): Promise<AsyncDisposable> {
    if (typeof on !== 'function') throw new TypeError(`MemoryRevocationFeed.subscribe: on must be a function, got ${kindOf(on)}`);
    const subscriber: Subscriber = { on };
    this.#subscribers.add(subscriber);
    return {
      [Symbol.asyncDispose]: async () => {
        this.#subscribers.delete(subscriber);
      },
    };
  }

  async publish(revocation: Revocation): Promise<void> {
    this.tell(revocation);
  }

  /** {@link publish}, at once: every subscriber has been told when it returns. */
  tell(revocation: Revocation): void {
    for (const { on } of [...this.#subscribers]) {
      try {
        on(revocation);
      } catch {
        // the others are to hear of it, and who published has done nothing wrong
      }
    }
  }
}
