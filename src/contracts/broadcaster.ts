import type { FeedHealth } from './revocation-feed.js';

/**
 * Carries what groups send from one process to the others: at most once, in order for each sender and group, and never back to the sender.
 * It does not repeat what it loses; it tells of the loss by `onGap`.
 */
export interface Broadcaster {
  /**
   * Sends `data` to the subscribers of all other processes.
   *
   * Resolves once the broker has it. Rejects if the broker may not have it; subscribers then hear of a gap as soon as they can be told.
   * Overlapping calls arrive in the order in which they were made.
   *
   * @param group name of the group: any string of well-formed Unicode that is not empty.
   * @param data text arrives as the same text, bytes as the same bytes. They may be changed as soon as the call has returned.
   */
  publish(group: string, data: string | Uint8Array): Promise<void>;
  /**
   * Calls `on` for what others publish, and `onGap` when some of it may have been missed.
   *
   * Resolves once nothing that is published from now on can be missed without `onGap`. Rejects if it cannot begin. Later it comes back by
   * itself when the broker does. What a callback throws harms no other subscriber.
   *
   * @param health is told when a broadcaster cannot be heard any more after it has begun, by broadcasters that can.
   * @returns what ends the subscription: neither callback is called after that.
   */
  subscribe(on: (group: string, data: string | Uint8Array) => void, onGap: () => void, health?: FeedHealth): Promise<AsyncDisposable>;
}
