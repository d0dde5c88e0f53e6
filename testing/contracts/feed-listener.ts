import type { Revocation, RevocationFeed } from '../../src/contracts/revocation-feed.js';
import { RememberingSubscriber } from './remembering-subscriber.js';

/** A subscriber that remembers, and waits for what is to come. */
export interface FeedListener extends AsyncDisposable {
  /** All that was told so far. */
  readonly heard: readonly Revocation[];
  /** Resolves once a revocation was told for which `isIt` holds; rejects where none is told in time. */
  hears(isIt: (revocation: Revocation) => boolean): Promise<void>;
  /** The same, or a gap since the subscription began. */
  hearsOrGap(isIt: (revocation: Revocation) => boolean): Promise<void>;
}

/** Subscribes to `feed`; each wait lasts `timeoutMs` milliseconds at most. */
export async function listen(feed: RevocationFeed, timeoutMs = 10_000): Promise<FeedListener> {
  const subscriber = new RememberingSubscriber<Revocation>(timeoutMs);
  const { heard } = subscriber;
  const subscription = await feed.subscribe(
    (revocation) => subscriber.hear(revocation),
    () => subscriber.hearOfGap(),
  );
  return {
    heard,
    hears: (isIt) => subscriber.until(() => heard.some(isIt), 'The revocation was not told'),
    hearsOrGap: (isIt) => subscriber.until(() => subscriber.gaps > 0 || heard.some(isIt), 'Neither the revocation nor a gap was told'),
    [Symbol.asyncDispose]: () => Promise.resolve(subscription[Symbol.asyncDispose]()),
  };
}
