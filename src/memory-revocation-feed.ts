import type { Revocation, RevocationFeed } from './contracts/revocation-feed.js';
import { FeedSubscribers } from './feed-subscribers.js';
import { nothing } from './maybe-promise.js';

/**
 * Carries revocations within one process: whoever subscribes is told in the very call that publishes, so there is never a gap.
 *
 * Adapters hold one for what they end themselves (`revocations`), which therefore needs no database to be acted on.
 */
export class MemoryRevocationFeed implements RevocationFeed {
  readonly #subscribers = new FeedSubscribers();

  /** @throws {TypeError} (as a rejection) when a callback is no function. */
  subscribe(on: (revocation: Revocation) => void, onGap: () => void = nothing): Promise<AsyncDisposable> {
    return this.#subscribers.subscribe('MemoryRevocationFeed', { on, onGap });
  }

  async publish(revocation: Revocation): Promise<void> {
    this.tell(revocation);
  }

  /** {@link publish}, at once: every subscriber has been told when it returns. */
  tell(revocation: Revocation): void {
    this.#subscribers.tell(revocation);
  }
}
