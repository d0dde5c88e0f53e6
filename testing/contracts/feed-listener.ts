import type { Revocation, RevocationFeed } from '../../src/contracts/revocation-feed.js';
import { nothing } from '../../src/maybe-promise.js';
import { RememberingSubscriber } from './remembering-subscriber.js';

/** A subscriber that remembers, and waits for what is to come. */
export interface FeedListener extends AsyncDisposable {
  /** All that was told so far. */
  readonly heard: readonly Revocation[];
  /** Resolves once a revocation was told for which `isIt` holds; rejects where none is told in time. */
  hears(isIt: (revocation: Revocation) => boolean): Promise<void>;
  /** How often it was told that something may be missing. */
  readonly gaps: number;
  /** The same, or a gap after the first `gaps` ones: 0 of them, unless it is told otherwise. */
  hearsOrGap(isIt: (revocation: Revocation) => boolean, gaps?: number): Promise<void>;
}

/** Subscribes to `feed`; each wait lasts `timeoutMs` milliseconds at most. */
export async function listen(feed: RevocationFeed, timeoutMs = 10_000, onGap: () => void = nothing): Promise<FeedListener> {
  const subscriber = new RememberingSubscriber<Revocation>(timeoutMs, onGap);
  const { heard } = subscriber;
  const subscription = await feed.subscribe(
    (revocation) => subscriber.hear(revocation),
    () => subscriber.hearOfGap(),
  );
  return {
    heard,
    hears: (isIt) => subscriber.until(() => heard.some(isIt), 'The revocation was not told'),
    get gaps() {
      return subscriber.gaps;
    },
    hearsOrGap: (isIt, gaps = 0) =>
      subscriber.until(() => subscriber.gaps > gaps || heard.some(isIt), 'Neither the revocation nor a gap since was told'),
    [Symbol.asyncDispose]: () => Promise.resolve(subscription[Symbol.asyncDispose]()),
  };
}
