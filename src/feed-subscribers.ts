import type { FeedHealth, Revocation } from './contracts/revocation-feed.js';
import { type Subscriber, Subscribers } from './subscribers.js';

interface FeedSubscriber extends Subscriber {
  readonly on: (revocation: Revocation) => void;
  readonly health: FeedHealth | undefined;
}

/** Those who listen to a feed. */
export class FeedSubscribers extends Subscribers<FeedSubscriber> {
  /**
   * @returns what takes this subscriber out again, and says whether it was there.
   * @throws {TypeError} when a callback is no function.
   */
  add(owner: string, on: FeedSubscriber['on'], onGap: () => void, health?: FeedHealth): () => boolean {
    return this.enter(owner, { on, onGap, health });
  }

  tell(revocation: Revocation): void {
    this.each(({ on }) => on(revocation));
  }

  /** It cannot go on. */
  tellFailed(error: unknown): void {
    this.each(({ health }) => health?.failed(error));
  }

  /** It goes on again. */
  tellRestored(): void {
    this.each(({ health }) => health?.restored());
  }
}
