import type { FeedHealth, Revocation, RevocationFeed } from '../../src/contracts/revocation-feed.js';
import type { MongoRevocationFeed } from './mongo-revocation-feed.js';
import { NoReplicaSetError } from './no-replica-set-error.js';

const nothingToEnd: AsyncDisposable = { [Symbol.asyncDispose]: async () => undefined };

/**
 * A feed where MongoDB is a replica set. Elsewhere it says so once, as a warning of the process, and tells nothing: revocations by other
 * processes are then found when channels are checked again.
 */
export class FeedWherePossible implements RevocationFeed {
  readonly timeoutMs: number;
  readonly #feed: MongoRevocationFeed;
  #isPossible = true;

  constructor(feed: MongoRevocationFeed) {
    this.timeoutMs = feed.timeoutMs;
    this.#feed = feed;
  }

  async subscribe(on: (revocation: Revocation) => void, onGap: () => void, health?: FeedHealth): Promise<AsyncDisposable> {
    try {
      return await this.#feed.subscribe(on, onGap, health);
    } catch (error) {
      if (!(error instanceof NoReplicaSetError)) throw error;
      if (this.#isPossible)
        process.emitWarning(`${error.message} registerMongo with feed: false says that this is known.`, 'WsWithWarning');
      this.#isPossible = false;
      return nothingToEnd;
    }
  }

  async publish(revocation: Revocation): Promise<void> {
    if (this.#isPossible) await this.#feed.publish(revocation);
  }
}
