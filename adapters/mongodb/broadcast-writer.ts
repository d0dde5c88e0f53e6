import type { Collection } from 'mongodb';
import { ChannelError } from '../../src/errors.js';
import { setImmediate } from '../../src/event-loop.js';
import { type BroadcastDocument, maxMessageBytes } from './broadcast-document.js';
import type { Operations } from './operations.js';
import { byMajority } from './options.js';

/** How many messages may wait or be on their way. */
const maxPending = 65_536;
/** What one write holds at most. */
const maxBatch = 1_000;
const maxBatchBytes: number = 16 * 1_024 * 1_024;
/** About what the fields of a document take beside its group and data. */
const overheadBytes = 150;

interface Waiting {
  readonly document: BroadcastDocument;
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Writes messages in the order in which they come: those of one turn, and those that come while a write is under way, together. */
export class BroadcastWriter {
  readonly #collection: Collection<BroadcastDocument>;
  readonly #operations: Operations;
  readonly #maxPendingBytes: number;
  #waiting: Waiting[] = [];
  #isWriting = false;
  /** What waits, and what the driver has and has not answered for, whether or not somebody waits for it still. */
  #pending = 0;
  #pendingBytes = 0;

  constructor(collection: Collection<BroadcastDocument>, operations: Operations, maxPendingBytes: number) {
    this.#collection = collection;
    this.#operations = operations;
    this.#maxPendingBytes = maxPendingBytes;
  }

  /**
   * Resolves once a majority has it.
   *
   * @throws {ChannelError} (as a rejection) `ERR_BROADCAST_FAILED` when it is too large, or too much waits.
   */
  async write(document: BroadcastDocument): Promise<void> {
    const dataBytes = typeof document.data === 'string' ? Buffer.byteLength(document.data) : document.data.length;
    const bytes = dataBytes + Buffer.byteLength(document.group) + overheadBytes;
    if (bytes > maxMessageBytes) {
      throw new ChannelError('ERR_BROADCAST_FAILED', `A message has ${maxMessageBytes} bytes at most on MongoDB, this one has ${bytes}.`);
    }
    if (this.#pending >= maxPending || this.#pendingBytes >= this.#maxPendingBytes) {
      throw new ChannelError('ERR_BROADCAST_FAILED', `MongoDB has not answered for ${this.#pending} messages yet.`);
    }
    this.#pending += 1;
    this.#pendingBytes += bytes;
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ document, bytes, resolve, reject });
      if (this.#isWriting) return;
      this.#isWriting = true;
      setImmediate(() => void this.#writeAll());
    });
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#nextBatch();
      try {
        await this.#operations.run('take messages', () => this.#insert(batch));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        // what came after it would arrive without it
        const left = this.#waiting;
        this.#waiting = [];
        this.#release(left);
        for (const { reject } of [...batch, ...left]) reject(error);
      }
    }
    this.#isWriting = false;
  }

  #nextBatch(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const each of this.#waiting) {
      bytes += each.bytes;
      if (count > 0 && (count >= maxBatch || bytes > maxBatchBytes)) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #insert(batch: readonly Waiting[]): Promise<void> {
    try {
      const documents = batch.map(({ document }) => document);
      await this.#collection.insertMany(documents, { ordered: true, ...byMajority });
    } finally {
      this.#release(batch);
    }
  }

  #release(batch: readonly Waiting[]): void {
    this.#pending -= batch.length;
    for (const { bytes } of batch) this.#pendingBytes -= bytes;
  }
}
