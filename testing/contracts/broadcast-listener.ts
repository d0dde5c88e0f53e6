import type { Broadcaster } from '../../src/contracts/broadcaster.js';
import { nothing } from '../../src/maybe-promise.js';
import { RememberingSubscriber } from './remembering-subscriber.js';

/** One message as a subscriber heard it. */
export interface Heard {
  readonly group: string;
  readonly data: string | Uint8Array;
}

/** A subscriber that remembers, and waits for what is to come. */
export interface BroadcastListener extends AsyncDisposable {
  /** All that was heard so far, in order. */
  readonly heard: readonly Heard[];
  readonly gaps: number;
  /** Resolves once `isTrue` holds of what was heard; rejects where it does not in time. */
  until(isTrue: (heard: readonly Heard[], gaps: number) => boolean, what: string): Promise<void>;
}

/** Subscribes to `broadcaster`; each wait lasts `timeoutMs` milliseconds at most. */
export async function listenTo(broadcaster: Broadcaster, timeoutMs = 10_000, onGap: () => void = nothing): Promise<BroadcastListener> {
  const subscriber = new RememberingSubscriber<Heard>(timeoutMs, onGap);
  const subscription = await broadcaster.subscribe(
    (group, data) => subscriber.hear({ group, data }),
    () => subscriber.hearOfGap(),
  );
  return {
    heard: subscriber.heard,
    get gaps() {
      return subscriber.gaps;
    },
    until: (isTrue, what) => subscriber.until(() => isTrue(subscriber.heard, subscriber.gaps), what),
    [Symbol.asyncDispose]: () => Promise.resolve(subscription[Symbol.asyncDispose]()),
  };
}
