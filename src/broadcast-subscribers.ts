import { type Subscriber, Subscribers } from './subscribers.js';

interface BroadcastSubscriber extends Subscriber {
  readonly on: (group: string, data: string | Uint8Array) => void;
}

/** Those who listen to a broadcaster. */
export class BroadcastSubscribers extends Subscribers<BroadcastSubscriber> {
  /**
   * @returns what takes this subscriber out again, and says whether it was there.
   * @throws {TypeError} when a callback is no function.
   */
  add(owner: string, on: BroadcastSubscriber['on'], onGap: () => void): () => boolean {
    return this.enter(owner, { on, onGap });
  }

  tell(group: string, data: string | Uint8Array): void {
    this.each(({ on }) => on(group, data));
  }
}
