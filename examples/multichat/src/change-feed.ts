import { setTimeout as delay } from 'node:timers/promises';
import type { ChangeStream, ChangeStreamDocument, Db, Document } from 'mongodb';
import { within } from './within.js';

/** What a {@link ChangeFeed} works with. */
export interface ChangeFeedOptions {
  readonly db: Db;
  /** Chooses the changes. */
  readonly pipeline: Document[];
  onChange(change: ChangeStreamDocument): void;
  /** Reads what may have been missed: at first, and wherever the driver could not go on where it was. `now` is the database's time. */
  onGap(now: Date): Promise<void>;
  /** For so long nobody need notice: what was missed is told when changes can be followed again. */
  readonly unnoticedMs: number;
  /** Changes could not be followed for longer than that; told again each second while that lasts. */
  onLost(): void;
}

const retryMs = 1_000;

/**
 * Follows the changes of a database by one change stream. The driver takes it up again where it can; where it cannot, another one is
 * opened, and what happened in between is read.
 */
export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  readonly #closing = new AbortController();
  #stream: ChangeStream | undefined;
  #following: Promise<void> = Promise.resolve();

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
  }

  /** Resolves once no change is missed any more. */
  async start(): Promise<void> {
    this.#stream = await this.#open();
    this.#following = this.#follow();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#closeStream();
    await this.#following;
  }

  /** The stream begins at a moment before the reading does: what changes meanwhile is in either of them, or in both. */
  async #open(): Promise<ChangeStream> {
    const { db, pipeline, onGap } = this.#options;
    const { operationTime, localTime } = await within(db.command({ hello: 1 }));
    if (operationTime === undefined) throw new Error('MongoDB must be a replica set: a single server has no change streams.');
    await onGap(localTime);
    return db.watch(pipeline, { startAtOperationTime: operationTime, fullDocument: 'updateLookup' });
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closing;
    let lostSince: number | undefined;
    while (!signal.aborted) {
      let openSince = Number.POSITIVE_INFINITY;
      try {
        this.#stream ??= await this.#open();
        if (signal.aborted) break;
        if (lostSince !== undefined) console.error('MongoDB is back.');
        lostSince = undefined;
        openSince = performance.now();
        for await (const change of this.#stream) this.#options.onChange(change);
      } catch (error) {
        // A stream that held for a while may well open again at once.
        if (!signal.aborted && performance.now() - openSince < retryMs) {
          if (lostSince === undefined) console.error(`MongoDB cannot be followed. It is tried again each second. ${String(error)}`);
          lostSince ??= performance.now();
          if (performance.now() - lostSince >= this.#options.unnoticedMs) this.#options.onLost();
          await delay(retryMs, undefined, { signal }).catch(() => {});
        }
      }
      await this.#closeStream();
    }
    await this.#closeStream();
  }

  /** Where the database does not answer, the stream is let go all the same. */
  async #closeStream(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    if (stream !== undefined) await within(stream.close()).catch(() => {});
  }
}
