import { LRUCache } from 'lru-cache';
import type { Revocation, RevocationFeed } from '../../src/contracts/revocation-feed.js';
import type { MemoryRevocationFeed } from '../../src/feeds/memory-revocation-feed.js';

interface Kept {
  readonly document: { readonly userId: unknown };
}

/** Keeps what was found for a moment, and drops at once what feeds tell of, ended or not. */
export class TokenCache<Value extends Kept> {
  readonly #kept: LRUCache<string, Value>;
  readonly #own: Promise<AsyncDisposable>;
  readonly #feed: RevocationFeed | undefined;
  #subscribing: Promise<AsyncDisposable | undefined> | undefined;
  /** Grows with all that ends: what was asked for before that is not kept after it. */
  #changes = 0;
  #closed = false;

  /**
   * @param bounds how many are kept at most, and for how many milliseconds.
   * @param own tells of what this process ends.
   * @param feed tells of what others end.
   */
  constructor(bounds: { readonly max: number; readonly ttl: number }, own: MemoryRevocationFeed, feed: RevocationFeed | undefined) {
    this.#kept = new LRUCache(bounds);
    this.#own = own.subscribe((revocation) => this.#heed(revocation));
    this.#feed = feed;
  }

  /** What is kept of the token, or else what `look` finds. */
  async find(id: string, look: () => Promise<Value | undefined>): Promise<Value | undefined> {
    if (this.#closed) return look();
    const kept = this.#kept.get(id);
    if (kept !== undefined) return kept;
    this.#listen();
    const changes = this.#changes;
    const found = await look();
    if (found !== undefined && changes === this.#changes) this.#kept.set(id, found);
    return found;
  }

  clear(): void {
    this.#changes += 1;
    this.#kept.clear();
  }

  /** Keeps nothing from now on, and listens no more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.clear();
    for (const subscribing of [this.#own, this.#subscribing]) await (await subscribing)?.[Symbol.asyncDispose]();
  }

  /** A feed that cannot be subscribed to is tried again at the next look-up; meanwhile what it would tell is seen when its time is over. */
  #listen(): void {
    if (this.#subscribing || !this.#feed) return;
    const onSubscribed = (subscription: AsyncDisposable): AsyncDisposable => {
      this.clear(); // of what was kept before, something may have ended
      return subscription;
    };
    const onFailed = (): undefined => {
      this.#subscribing = undefined;
    };
    this.#subscribing = this.#feed
      .subscribe(
        (revocation) => this.#heed(revocation),
        () => this.clear(),
      )
      .then(onSubscribed, onFailed);
  }

  #heed(revocation: Revocation): void {
    if (!('tokenId' in revocation || 'userId' in revocation)) return; // sessions of a web site may end all the time
    this.#changes += 1;
    if ('tokenId' in revocation) this.#kept.delete(revocation.tokenId);
    if (!('userId' in revocation)) return;
    for (const [id, { document }] of this.#kept.entries()) if (String(document.userId) === revocation.userId) this.#kept.delete(id);
  }
}
