import type { Revocation } from './contracts/revocation-feed.js';
import { type Subscriber, Subscribers } from './subscribers.js';

interface FeedSubscriber extends Subscriber {
  readonly on: (revocation: Revocation) => void;
}

/** Those who listen to a feed. */
export class FeedSubscribers extends Subscribers<FeedSubscriber> {
  tell(revocation: Revocation): void {
    this.each(({ on }) => on(revocation));
  }
}
