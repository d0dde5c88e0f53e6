import type { CreateIndexesOptions, IndexDescriptionInfo } from 'mongodb';
import { retentionMs } from './token-document.js';

/** An index that is needed. */
export interface NeededIndex extends Pick<CreateIndexesOptions, 'unique' | 'expireAfterSeconds' | 'partialFilterExpression'> {
  readonly key: Readonly<Record<string, 1>>;
}

/** Whether `index` is on the fields of the one that is needed, in their order. */
export function isOnFieldsOf({ key }: NeededIndex, index: IndexDescriptionInfo): boolean {
  return JSON.stringify(index.key) === JSON.stringify(key);
}

/** The index without which the number of a user's tokens cannot be limited. */
export const tokenSlotIndex: NeededIndex = {
  key: { userId: 1, slot: 1 },
  unique: true,
  partialFilterExpression: { slot: { $exists: true } },
};

/** The index by which imported tokens are found again when they change at their source. */
export const tokenSourceIndex: NeededIndex = {
  key: { importedFrom: 1, sourceId: 1 },
  partialFilterExpression: { sourceId: { $exists: true } },
};

export const tokenIndexes: readonly NeededIndex[] = [
  { key: { userId: 1, createdAt: 1 } },
  { key: { expiresAt: 1 }, expireAfterSeconds: retentionMs / 1_000 },
  { key: { removeAt: 1 }, expireAfterSeconds: 0 },
  tokenSlotIndex,
  tokenSourceIndex,
];

/** A revocation that was published is kept for as long as a process may be cut off and still learn of it. */
export const revocationIndexes: readonly NeededIndex[] = [{ key: { at: 1 }, expireAfterSeconds: 60 * 60 }];

export const sessionIndexes: readonly NeededIndex[] = [{ key: { expiresAt: 1 }, expireAfterSeconds: 0 }];

/** Tickets that nobody used; those that were are gone already. What else is in a collection of this name stays. */
export const ticketIndexes: readonly NeededIndex[] = [
  { key: { expiresAt: 1 }, expireAfterSeconds: 0, partialFilterExpression: { 'grant.userId': { $exists: true } } },
];

/** Messages of groups that have long reached everybody: a change stream needs none of them. */
export const broadcastIndexes: readonly NeededIndex[] = [
  { key: { at: 1 }, expireAfterSeconds: 60, partialFilterExpression: { sender: { $exists: true } } },
];
