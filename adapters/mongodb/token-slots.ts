import { type Collection, type Filter, MongoServerError } from 'mongodb';
import { makeIndex } from './make-index.js';
import { tokenSlotIndex } from './needed-indexes.js';
import { plainNumbers } from './options.js';
import { serverCodes } from './server-codes.js';
import type { TokenDocument } from './token-document.js';
import { anyTokenId, liveTokensOf } from './token-filters.js';

/** Thrown by `issue`, and by `rotate` of a token that was rotated before, when the user has as many tokens as `maxPerUser` allows. */
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

  /**
   * Inserts `token` if its user has a slot to spare; gives up once `signal` is aborted.
   *
   * @throws {TokenLimitError} when there is none.
   */
  insert(token: TokenDocument, signal: AbortSignal): Promise<void> {
    return this.#place(token, signal, (slot) => this.#tokens.insertOne({ ...token, slot }));
  }

  /**
   * Gives `token`, which is there already and has none, a slot.
   *
   * @throws {TokenLimitError} when there is none to spare.
   */
  claim(token: TokenDocument, signal: AbortSignal): Promise<void> {
    return this.#place(token, signal, (slot) => this.#tokens.updateOne({ _id: token._id }, { $set: { slot } }));
  }

  async #place(token: TokenDocument, signal: AbortSignal, put: (slot: number) => Promise<unknown>): Promise<void> {
    await this.#ensureIndex();
    const now = token.createdAt;
    const expired = { userId: token.userId, slot: { $exists: true }, expiresAt: { $lte: now } };
    await this.#tokens.updateMany(expired, { $unset: { slot: '' } });
    for (;;) {
      const free = await this.#freeSlots(token, now, signal);
      if (free.length === 0) throw new TokenLimitError(this.#maxPerUser);
      for (const slot of free) {
        signal.throwIfAborted();
        if (!(await isTaken(put(slot)))) return;
      }
      // each of them was taken meanwhile, or this is the last attempt: see what is free now
    }
  }

  /**
   * The numbers that no other live token of the user holds. Tokens from before there was a limit have none, and count all the same; those
   * that were rotated do not: their successor does.
   */
  async #freeSlots({ _id, userId }: TokenDocument, now: Date, signal: AbortSignal): Promise<number[]> {
    const filter = {
      ...liveTokensOf(String(userId), now),
      _id: { ...anyTokenId, $ne: _id },
      successorId: { $not: { $type: 'string' } },
    } satisfies Filter<TokenDocument>;
    const options = { projection: { _id: 0, slot: 1 }, signal, readPreference: 'primary', ...plainNumbers } as const;
    const live = await this.#tokens.find(filter, options).toArray();
    if (live.length >= this.#maxPerUser) return [];
    const taken = new Set(live.map(({ slot }) => slot));
    const withoutSlot = live.filter(({ slot }) => slot == null).length; // null: another program wrote it
    const numbers = Array.from({ length: this.#maxPerUser - withoutSlot }, (_, slot) => slot);
    return numbers.filter((slot) => !taken.has(slot));
  }

  /** The limit is nothing without the index, so it does not depend on anybody having made it. */
  #ensureIndex(): Promise<unknown> {
    this.#index ??= makeIndex(this.#tokens, tokenSlotIndex).catch((error: unknown) => {
      this.#index = undefined;
      throw error;
    });
    return this.#index;
  }
}

/** Whether another token holds the slot that `putting` is to give. */
export async function isTaken(putting: Promise<unknown>): Promise<boolean> {
  try {
    await putting;
    return false;
  } catch (error) {
    if (error instanceof MongoServerError && error.code === serverCodes.duplicateKey && error.keyPattern?.slot !== undefined) return true;
    throw error;
  }
}
