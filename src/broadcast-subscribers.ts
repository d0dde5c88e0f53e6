import { type Subscriber, Subscribers } from './subscribers.js';

interface BroadcastSubscriber extends Subscriber {
  readonly on: (group: string, data: string | Uint8Array) => void;
}

/** Those who listen to a broadcaster. */
export class BroadcastSubscribers extends Subscribers<BroadcastSubscriber> {
  tell(group: string, data: string | Uint8Array): void {
    this.each(({ on }) => on(group, data));
  }
}
