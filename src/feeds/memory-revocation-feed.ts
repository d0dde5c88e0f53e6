import type { Revocation, RevocationFeed } from '../contracts/revocation-feed.js';
import { nothing } from '../maybe-promise.js';
import { checkedRevocation } from './checked-revocation.js';
import { Subscribers } from './subscribers.js';

/**
 * Carries revocations within one process: whoever subscribes is told in the very call that publishes, so there is never a gap.
 *
 * Adapters hold one for what they end themselves (`revocations`), which therefore needs no database to be acted on.
 */
export class MemoryRevocationFeed implements RevocationFeed {
  readonly #subscribers = new Subscribers<[Revocation]>();

  /** @throws {TypeError} (as a rejection) when a callback is no function. */
  subscribe(on: (revocation: Revocation) => void, onGap: () => void = nothing): Promise<AsyncDisposable> {
    return this.#subscribers.subscribe('MemoryRevocationFeed', { on, onGap });
  }

  /** @throws {TypeError} (as a rejection) when it names none, or more than one, or `issuedBefore` is no valid `Date`. */
  async publish(revocation: Revocation): Promise<void> {
    this.tell(checkedRevocation('MemoryRevocationFeed.publish', revocation));
  }

  /** {@link publish}, at once and unchecked: every subscriber has been told when it returns. */
  tell(revocation: Revocation): void {
    this.#subscribers.tell(revocation);
  }
}
