import type { ChangeStream, ChangeStreamDocument, Collection } from 'mongodb';
import type { DrfImportCounts, DrfSource } from './drf-source.js';
import type { Operations } from './operations.js';
import { watchSilence } from './watch-silence.js';

const firstRetryMs = 1_000;
const lastRetryMs = 30_000;

/** Carries changes over as they happen, from where the import began; after an interruption it imports all anew and goes on. */
export class DrfFollower {
  readonly #source: Collection;
  readonly #drf: DrfSource;
  readonly #operations: Operations;
  readonly #onError: (error: unknown) => void;
  readonly #closing = new AbortController();
  #stream: ChangeStream | undefined;
  /** Ends the waiting for the next change: where the line was cut in silence, closing the stream does not. */
  #endWaiting: (() => void) | undefined;
  #following: Promise<void> = Promise.resolve();

  constructor(source: Collection, drf: DrfSource, operations: Operations, onError: (error: unknown) => void) {
    this.#source = source;
    this.#drf = drf;
    this.#operations = operations;
    this.#onError = onError;
  }

  async start(): Promise<DrfImportCounts> {
    try {
      const counts = await this.#begin();
      this.#following = this.#follow();
      return counts;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#closeStream();
    await this.#following;
  }

  /** Where the database does not answer, the stream is let go all the same. */
  async #closeStream(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    this.#endWaiting?.();
    if (stream) await this.#operations.run('close a change stream', () => stream.close()).catch(() => undefined);
  }

  /** Opens the stream, and only then imports: what changes in between is in the stream. */
  async #begin(): Promise<DrfImportCounts> {
    await this.#closeStream();
    const stream = this.#source.watch([], { fullDocument: 'updateLookup' });
    this.#stream = stream;
    const early = await this.#operations.run('open a change stream', () => stream.tryNext());
    const counts = await this.#drf.importAll(this.#closing.signal);
    if (early !== null) await this.#drf.apply(early);
    return counts;
  }

  async #follow(): Promise<void> {
    let retryMs = firstRetryMs;
    while (!this.#closing.signal.aborted) {
      try {
        if (this.#stream === undefined) await this.#begin();
        for await (const change of this.#changes()) {
          await this.#drf.apply(change);
          retryMs = firstRetryMs;
        }
        await this.#closeStream();
      } catch (error) {
        await this.#closeStream();
        if (this.#closing.signal.aborted) return;
        this.#report(error);
        await this.#wait(retryMs);
        retryMs = Math.min(retryMs * 2, lastRetryMs);
      }
    }
  }

  /** What comes of the stream, until it is closed, as it is where it is silent. */
  async *#changes(): AsyncIterable<ChangeStreamDocument> {
    const stream = this.#stream;
    if (stream === undefined) return;
    const endWatch = watchSilence(stream, this.#operations.clock, () => void this.#closeStream());
    try {
      while (this.#stream === stream) {
        const change = await this.#nextOf(stream);
        if (change !== undefined) yield change;
      }
    } finally {
      endWatch();
    }
  }

  #nextOf(stream: ChangeStream): Promise<ChangeStreamDocument | undefined> {
    return new Promise((resolve, reject) => {
      this.#endWaiting = () => resolve(undefined);
      stream.next().then(resolve, reject);
    });
  }

  #report(error: unknown): void {
    try {
      this.#onError(error);
    } catch {
      // whoever listens cannot stop it
    }
  }

  #wait(ms: number): Promise<void> {
    const { signal } = this.#closing;
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = this.#operations.clock.setTimer(end, ms);
      signal.addEventListener('abort', end);
    });
  }
}
