import type { Collection, Filter } from 'mongodb';
import type { MemoryRevocationFeed } from '../../src/feeds/memory-revocation-feed.js';
import type { TokenId } from '../../src/token-id.js';
import type { Operations } from './operations.js';
import { byMajority } from './options.js';
import { removableFrom, retentionMs, type TokenDocument } from './token-document.js';
import { liveAt, liveTokensOf, notRevoked, tokensOf } from './token-filters.js';

/** So many passes at most: after each, no key counts but of what was made during it. */
const maxPasses = 16;

/** What it works with. */
export interface TokenRevocationParts {
  readonly tokens: Collection<TokenDocument>;
  readonly operations: Operations;
  /** Is told of each token once its revocation is acknowledged. */
  readonly told: MemoryRevocationFeed;
  /** Called before anybody is told, and where it cannot be said whether anything was revoked. */
  readonly onRevoked: () => void;
}

/** Revokes tokens by a majority of the nodes, and tells of them. */
export class TokenRevocation {
  readonly #parts: TokenRevocationParts;

  constructor(parts: TokenRevocationParts) {
    this.#parts = parts;
  }

  /** Whether this call revoked it. Those that it was rotated from and into are revoked with it. */
  async one(id: TokenId): Promise<boolean> {
    let count = 0;
    try {
      count = await this.#revoke({ _id: id, ...notRevoked }, this.#now(), 'updateOne');
    } finally {
      this.#parts.told.tell({ tokenId: id, ...(count === 0 && { hint: true }) });
    }
    // only now: it may have been rotated until then
    const token = await this.#parts.operations.run('find a token', (signal) =>
      this.#parts.tokens.findOne({ _id: id, chainId: { $exists: true } }, { signal, readPreference: 'primary' }),
    );
    if (token) await this.chainOf(token);
    return count > 0;
  }

  /** How many live tokens of the user this call revoked. */
  async allOf(userId: string): Promise<number> {
    const now = this.#now();
    let count = 0;
    await this.#telling(userId, { ...tokensOf(userId), revokedAt: now }, async () => {
      count = await this.#revoke(liveTokensOf(userId, now), now);
      // channels may live by these until it is seen that their grace is over; and what they were rotated into meanwhile
      const $or = [{ successorId: { $exists: true } }, { ...liveAt(now), chainId: { $exists: true } }];
      return count + (await this.#revokeWhole({ ...notRevoked, ...tokensOf(userId), $or }, now));
    });
    return count;
  }

  /** Revokes the tokens that were rotated into one another, this one among them. */
  async chainOf({ userId, chainId }: TokenDocument): Promise<void> {
    if (typeof chainId !== 'string') return;
    const chain: Filter<TokenDocument> = { userId, chainId };
    await this.#telling(String(userId), chain, () => this.#revokeWhole({ ...notRevoked, ...chain }, this.#now()));
  }

  #now(): Date {
    return new Date(this.#parts.operations.clock.now());
  }

  /** Revokes until nothing is left: a write passes over what another token is rotated into while it is under way. */
  async #revokeWhole(filter: Filter<TokenDocument>, now: Date): Promise<number> {
    let count = 0;
    for (let pass = 0; pass < maxPasses; pass += 1) {
      const revoked = await this.#revoke(filter, now);
      if (revoked === 0) break;
      count += revoked;
    }
    return count;
  }

  /** @param update which changes all that match, or one alone: the driver sends only that again after a failover. */
  async #revoke(filter: Filter<TokenDocument>, now: Date, update: 'updateMany' | 'updateOne' = 'updateMany'): Promise<number> {
    const removeAt = removableFrom(new Date(now.getTime() + retentionMs));
    const changes = [{ $set: { revokedAt: now, removeAt } }, { $unset: 'slot' }];
    try {
      const write = () => this.#parts.tokens[update](filter, changes, byMajority);
      const { modifiedCount } = await this.#parts.operations.run('revoke tokens', write);
      return modifiedCount;
    } finally {
      this.#parts.onRevoked();
    }
  }

  /**
   * Tells of the tokens of `filter` that `revoke` has revoked. Where it has revoked none, or fails, they may be revoked all the same, by a
   * call whose answer was lost.
   */
  async #telling(userId: string, filter: Filter<TokenDocument>, revoke: () => Promise<number>): Promise<void> {
    let count = 0;
    try {
      count = await revoke();
    } finally {
      if (count > 0) await this.#tellOf(filter, userId);
      else this.#parts.told.tell({ userId, hint: true });
    }
  }

  /** Tells of the tokens that were revoked; they are, also where it cannot be said which. */
  async #tellOf(filter: Filter<TokenDocument>, userId: string): Promise<void> {
    try {
      const revoked = await this.#parts.operations.run('find tokens', (signal) =>
        this.#parts.tokens.find(filter, { projection: { _id: 1 }, signal, readPreference: 'primary' }).toArray(),
      );
      for (const { _id } of revoked) this.#parts.told.tell({ tokenId: _id as TokenId });
    } catch {
      this.#parts.told.tell({ userId, hint: true });
    }
  }
}
