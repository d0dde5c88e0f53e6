import type { ObjectId } from 'mongodb';

/** A message of a group as the collection holds it, or a mark, which only says that its sender has come so far. */
export interface BroadcastDocument {
  readonly _id?: ObjectId;
  readonly sender: string;
  readonly number: number;
  /** Something of this sender may have been lost before. */
  readonly hasLoss?: true;
  /** Empty for a mark. */
  readonly group: string;
  readonly data: string | Buffer;
  readonly at: Date;
}

/** The largest message, in bytes: a document has 16 MiB at most, and the change that tells of it, too. */
export const maxMessageBytes: number = 15 * 1_024 * 1_024;

/** What a change holds, where it is a message that can be read. */
export function broadcastOf(document: unknown): BroadcastDocument | undefined {
  const { sender, number, group, data } = (document ?? {}) as Partial<BroadcastDocument>;
  const isReadable =
    typeof sender === 'string' &&
    Number.isSafeInteger(number) &&
    typeof group === 'string' &&
    (typeof data === 'string' || Buffer.isBuffer(data));
  return isReadable ? (document as BroadcastDocument) : undefined;
}
