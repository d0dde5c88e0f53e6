import type { Collection, Document } from 'mongodb';
import type { ExtendOptions, RotateOptions } from '../../src/contracts/token-repository.js';
import type { TokenId } from '../../src/token-id.js';
import { byMajority } from './options.js';
import { removableFrom, retentionMs, successorOf, type TokenDocument } from './token-document.js';
import { liveAt, notRevoked } from './token-filters.js';
import { isTaken, type TokenSlots } from './token-slots.js';

/** Lengthens the lives of tokens, and exchanges them. */
export class TokenRenewal {
  readonly #tokens: Collection<TokenDocument>;
  readonly #slots: TokenSlots | undefined;

  constructor(tokens: Collection<TokenDocument>, slots: TokenSlots | undefined) {
    this.#tokens = tokens;
    this.#slots = slots;
  }

  /** The token as it is after that; `undefined` where it counts no more. */
  async extend(id: TokenId, { ttlMs, maxAgeMs }: ExtendOptions, now: number): Promise<TokenDocument | undefined> {
    const wanted = new Date(now + ttlMs);
    const startedAt = dateOr('$chainStartedAt', dateOr('$createdAt', new Date(now)));
    const latest = { $add: [startedAt, maxAgeMs] };
    const end = maxAgeMs === undefined ? wanted : { $min: [wanted, latest] };
    const stays = { $or: [{ $ne: [{ $type: '$expiresAt' }, 'date'] }, { $eq: [{ $type: '$graceEndsAt' }, 'date'] }] };
    const update = [{ $set: { expiresAt: { $cond: [stays, '$expiresAt', { $max: ['$expiresAt', end] }] } } }];
    const filter = { _id: id, ...liveAt(new Date(now)) };
    return (await this.#tokens.findOneAndUpdate(filter, update, { ...byMajority, returnDocument: 'after' })) ?? undefined;
  }

  /**
   * The new token, which is there before the old one names it; `undefined` where the old one counts no more.
   *
   * @throws {TokenLimitError} when the old one was rotated before and the user has no token to spare.
   */
  async rotate(
    { id, newId }: { readonly id: TokenId; readonly newId: TokenId },
    options: RotateOptions,
    now: number,
    signal: AbortSignal,
  ): Promise<TokenDocument | undefined> {
    const filter = { _id: id, ...liveAt(new Date(now)) };
    const old = await this.#tokens.findOne(filter, { signal, readPreference: 'primary' });
    if (old === null) return undefined;
    const token = successorOf(old, newId, options, now);
    if (token === undefined) return undefined;
    await this.#tokens.insertOne(token, byMajority);
    try {
      signal.throwIfAborted();
      const graceEndsAt = new Date(now + options.graceMs);
      const before = await this.#tokens.findOneAndUpdate(filter, rotation(newId, graceEndsAt), { ...byMajority, returnDocument: 'before' });
      if (before === null) await this.#tokens.deleteOne({ _id: newId });
      else await this.#handOver(before, token, signal);
      return before === null ? undefined : token;
    } catch (error) {
      // nobody has seen its key, nor will
      await this.#tokens.deleteOne({ _id: newId }).catch(() => undefined);
      throw error;
    }
  }

  /** The slot of the old token is the new one's. One that had been rotated before has given it away. */
  async #handOver(old: TokenDocument, token: TokenDocument, signal: AbortSignal): Promise<void> {
    const { slot, successorId } = old;
    // should another log-in have taken it this moment, the new token counts without one
    if (slot != null) await isTaken(this.#tokens.updateOne({ _id: token._id, ...notRevoked }, { $set: { slot } }));
    else if (successorId != null && this.#slots) {
      try {
        await this.#slots.claim(token, signal);
      } catch (error) {
        await this.#tokens.updateOne({ _id: old._id, successorId: token._id }, { $set: { successorId } });
        throw error;
      }
    }
  }
}

/** A field where it is a date, else what stands for it. */
function dateOr(field: string, other: Date | Document): Document {
  return { $cond: [{ $eq: [{ $type: field }, 'date'] }, field, other] };
}

/** What becomes of a token that is rotated. A grace is not lengthened. */
function rotation(successorId: TokenId, graceEndsAt: Date): Document[] {
  return [
    {
      $set: {
        successorId,
        graceEndsAt: { $min: ['$graceEndsAt', graceEndsAt] },
        chainId: { $ifNull: ['$chainId', '$_id'] },
        removeAt: removableFrom(new Date(graceEndsAt.getTime() + retentionMs)),
      },
    },
    { $unset: 'slot' },
  ];
}
