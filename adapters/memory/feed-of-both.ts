import type { FeedHealth, Revocation, RevocationFeed } from '../../src/contracts/revocation-feed.js';

/** Tells what two feeds tell. */
export class FeedOfBoth implements RevocationFeed {
  readonly #one: RevocationFeed;
  readonly #other: RevocationFeed;

  constructor(one: RevocationFeed, other: RevocationFeed) {
    this.#one = one;
    this.#other = other;
  }

  async subscribe(on: (revocation: Revocation) => void, onGap: () => void, health?: FeedHealth): Promise<AsyncDisposable> {
    const one = await this.#one.subscribe(on, onGap, health);
    try {
      const other = await this.#other.subscribe(on, onGap, health);
      return { [Symbol.asyncDispose]: async () => void (await Promise.all([one[Symbol.asyncDispose](), other[Symbol.asyncDispose]()])) };
    } catch (error) {
      await one[Symbol.asyncDispose]();
      throw error;
    }
  }
}
