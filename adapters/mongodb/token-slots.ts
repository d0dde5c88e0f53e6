import { type Collection, MongoServerError } from 'mongodb';
import { tokenSlotIndex } from './indexes.js';
import type { TokenDocument } from './token-document.js';
import { liveTokensOf } from './token-filters.js';

/** Thrown by `issue` where the user has as many tokens as `maxPerUser` allows. */
export class TokenLimitError extends Error {
  readonly code = 'ERR_TOKEN_LIMIT';
  /** How many tokens a user may have. */
  readonly maxPerUser: number;

  constructor(maxPerUser: number) {
    super(`The user has ${maxPerUser} tokens already, which is as many as one may have.`);
    this.name = 'TokenLimitError';
    this.maxPerUser = maxPerUser;
  }
}

/**
 * Limits how many live tokens a user has. Each of them holds a numbered slot, and a unique index gives a slot to one token only:
 * counting first and inserting then would let any number of parallel log-ins through.
 */
export class TokenSlots {
  readonly #tokens: Collection<TokenDocument>;
  readonly #maxPerUser: number;
  #index: Promise<unknown> | undefined;

  constructor(tokens: Collection<TokenDocument>, maxPerUser: number) {
    this.#tokens = tokens;
    this.#maxPerUser = maxPerUser;
  }

  /** Inserts `token` if its user has a slot to spare; gives up once `signal` is aborted. */
  async insert(token: TokenDocument, signal: AbortSignal): Promise<void> {
    await this.#ensureIndex();
    const now = token.createdAt;
    const expired = { userId: token.userId, slot: { $exists: true }, expiresAt: { $lte: now } };
    await this.#tokens.updateMany(expired, { $unset: { slot: '' } });
    for (;;) {
      const free = await this.#freeSlots(String(token.userId), now, signal);
      if (free.length === 0) throw new TokenLimitError(this.#maxPerUser);
      for (const slot of free) {
        signal.throwIfAborted();
        if (await this.#take({ ...token, slot })) return;
      }
      // Each of them was taken meanwhile, or this is the last attempt: see what is free now.
    }
  }

  async #take(token: TokenDocument): Promise<boolean> {
    try {
      await this.#tokens.insertOne(token);
      return true;
    } catch (error) {
      if (error instanceof MongoServerError && error.code === 11_000 && error.keyPattern?.slot !== undefined) return false;
      throw error;
    }
  }

  /** The numbers that no live token of the user holds. Tokens from before there was a limit have none, and count all the same. */
  async #freeSlots(userId: string, now: Date, signal: AbortSignal): Promise<number[]> {
    const projection = { _id: 0, slot: 1 };
    const live = await this.#tokens.find(liveTokensOf(userId, now), { projection, signal, readPreference: 'primary' }).toArray();
    const taken = new Set(live.map(({ slot }) => slot));
    const withoutSlot = live.filter(({ slot }) => slot === undefined).length;
    const numbers = Array.from({ length: Math.max(0, this.#maxPerUser - withoutSlot) }, (_, slot) => slot);
    return numbers.filter((slot) => !taken.has(slot));
  }

  /** The limit is nothing without the index, so it does not depend on anybody having made it. */
  #ensureIndex(): Promise<unknown> {
    const { key, ...options } = tokenSlotIndex;
    this.#index ??= this.#tokens.createIndex(key, options).catch((error: unknown) => {
      this.#index = undefined;
      throw error;
    });
    return this.#index;
  }
}
