import type { ChangeStream, ChangeStreamDocument, ChangeStreamOptions, ResumeToken } from 'mongodb';
import { NoReplicaSetError } from './no-replica-set-error.js';
import type { Operations } from './operations.js';
import { serverCodeOf, serverCodes } from './server-codes.js';
import { watchSilence } from './watch-silence.js';

/** How long to wait before a stream that broke is opened again, doubled with each failure. */
const firstDelayMs = 100;
const maxDelayMs = 10_000;
/** How long the server may look for the place where a stream is to go on, at most: it reads all that has happened since. */
const maxOpenMs = 60_000;

/** What is followed, and who is told of it. */
export interface Followed {
  /** Completes "… has change streams only as a replica set": what is done without them. */
  readonly without: string;
  /** What else the stream is opened with. */
  options(): Promise<ChangeStreamOptions>;
  watch(options: ChangeStreamOptions): ChangeStream;
  changed(change: ChangeStreamDocument): void;
  /** Something may have been missed. */
  gap(): void;
  /** Nothing is heard, and an attempt to go on has failed. */
  failed?(error: unknown): void;
  /** After that: it goes on again. */
  restored?(): void;
}

/**
 * Follows a change stream for as long as somebody wants it. After a failure it goes on where it was; where that place is not to be found
 * again, it tells of a gap.
 */
export class ChangeFollower {
  readonly #owner: string;
  readonly #operations: Operations;
  readonly #followed: Followed;
  #stream: ChangeStream | undefined;
  /** Where to go on after a failure; without it there is a gap. */
  #token: ResumeToken | undefined;
  #cancelRetry: (() => void) | undefined;
  #endWatch: (() => void) | undefined;
  #openMs: number;
  /** Whether it was told that it cannot go on. */
  #hasFailed = false;
  /** Grows whenever it stops: what was begun before is not gone on with. */
  #epoch = 0;

  constructor(owner: string, operations: Operations, followed: Followed) {
    this.#owner = owner;
    this.#operations = operations;
    this.#openMs = operations.timeoutMs;
    this.#followed = followed;
  }

  /**
   * Opens a stream, and resolves once it cannot miss anything any more.
   *
   * @throws {NoReplicaSetError} (as a rejection) when MongoDB is no replica set.
   */
  async begin(): Promise<void> {
    const epoch = this.#epoch;
    const options = await this.#streamOptions();
    if (epoch !== this.#epoch) throw new Error(`${this.#owner}: the last subscriber has left.`);
    const stream = this.#followed.watch(options);
    this.#stream = stream;
    const first = stream.next();
    first.catch(() => undefined); // whoever follows the stream learns of it, too
    try {
      await this.#operations.run('open a change stream', () => Promise.race([first, opened(stream)]), this.#openMs);
    } catch (error) {
      if (this.#stream === stream) this.#stream = undefined;
      void this.#close(stream);
      if (epoch === this.#epoch) this.#notOpened(error);
      throw serverCodeOf(error) === serverCodes.noReplicaSet ? new NoReplicaSetError(this.#owner, this.#followed.without, error) : error;
    }
    this.#openMs = this.#operations.timeoutMs;
    if (this.#stream === stream) this.#endWatch = watchSilence(stream, this.#operations.clock, () => this.#broke(stream));
    void this.#follow(stream, first);
  }

  async #streamOptions(): Promise<ChangeStreamOptions> {
    // the database's own options may ask for less than a stream takes
    const options: ChangeStreamOptions = { readPreference: 'primary', readConcern: { level: 'majority' } };
    if (this.#token !== undefined) options.resumeAfter = this.#token;
    return { ...options, ...(await this.#followed.options()) };
  }

  /** Tells of what comes, for as long as somebody listens. The driver goes on by itself after most failures; after others we do. */
  async #follow(stream: ChangeStream, first: Promise<ChangeStreamDocument>): Promise<void> {
    let isInvalid = false;
    try {
      for (let change = await first; this.#stream === stream; change = await stream.next()) {
        isInvalid = change.operationType === 'invalidate';
        this.#followed.changed(change);
      }
    } catch (error) {
      if (this.#stream !== stream) return;
      this.#broke(stream);
      if (isInvalid || isPlaceLost(error)) this.#forgetPlace();
    }
  }

  /** Nothing is heard of `stream` any more. */
  #broke(stream: ChangeStream): void {
    this.#endWatch?.();
    this.#stream = undefined;
    this.#token = stream.resumeToken ?? this.#token;
    this.#beginAgain(firstDelayMs);
    void this.#close(stream);
  }

  #forgetPlace(): void {
    this.#token = undefined;
    this.#openMs = this.#operations.timeoutMs;
  }

  /** Where time ran out, the server gets more of it; one that does not find the place in the longest time is asked for it no more. */
  #notOpened(error: unknown): void {
    const isLate = error instanceof DOMException;
    if (isPlaceLost(error) || (isLate && this.#openMs >= maxOpenMs)) this.#forgetPlace();
    else if (isLate && this.#token !== undefined) this.#openMs = Math.min(2 * this.#openMs, maxOpenMs);
  }

  #beginAgain(delayMs: number): void {
    const again = async (): Promise<void> => {
      this.#cancelRetry = undefined;
      const epoch = this.#epoch;
      const isLost = this.#token === undefined;
      try {
        await this.begin();
        if (epoch !== this.#epoch) return;
        if (this.#hasFailed) this.#followed.restored?.();
        this.#hasFailed = false;
        if (isLost) this.#followed.gap();
      } catch (error) {
        if (epoch !== this.#epoch) return;
        this.#hasFailed = true;
        this.#followed.failed?.(error);
        if (epoch === this.#epoch) this.#beginAgain(Math.min(2 * delayMs, maxDelayMs));
      }
    };
    // at a random moment of the interval, or all processes would come back at once
    this.#cancelRetry = this.#operations.clock.setTimer(() => void again(), delayMs * (0.5 + Math.random() / 2));
  }

  async stop(): Promise<void> {
    const stream = this.#stream;
    this.#epoch += 1;
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#endWatch?.();
    this.#stream = undefined;
    this.#forgetPlace();
    this.#hasFailed = false;
    if (stream) await this.#close(stream);
  }

  /** Never rejects, nor takes longer than any operation: the database may not be there to be told. */
  async #close(stream: ChangeStream): Promise<void> {
    await this.#operations.run('close a change stream', () => stream.close()).catch(() => undefined);
  }
}

/** Resolves once the server has opened the stream: that is when it first says where to go on. */
function opened(stream: ChangeStream): Promise<void> {
  return new Promise((resolve) => stream.once('resumeTokenChanged', () => resolve()));
}

/**
 * Whether the server itself refuses to go on from where we were: its history does not reach back so far, the place is not to be found, or
 * what happened there is too large to be sent. Asked again it would say the same for ever.
 */
function isPlaceLost(error: unknown): boolean {
  const { hasErrorLabel } = error as { hasErrorLabel?: (label: string) => boolean };
  return serverCodeOf(error) !== undefined && hasErrorLabel?.call(error, 'ResumableChangeStreamError') === false;
}
