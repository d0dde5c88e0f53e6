import type { FeedHealth, Revocation } from './contracts/revocation-feed.js';
import { type Subscriber, Subscribers } from './subscribers.js';

interface FeedSubscriber extends Subscriber {
  readonly on: (revocation: Revocation) => void;
  readonly health?: FeedHealth | undefined;
}

/** Those who listen to a feed. */
export class FeedSubscribers extends Subscribers<FeedSubscriber> {
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
