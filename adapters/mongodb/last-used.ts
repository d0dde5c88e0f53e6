import type { Collection } from 'mongodb';
import type { Operations } from './operations.js';
import type { TokenDocument } from './token-document.js';

/** How long uses are gathered before they are written. */
const gatherMs = 5_000;
/** A use within this time of the last one that was written is not. */
const precisionMs = 60_000;
/** So many tokens are noted between two writes at most; a use that is not noted harms nobody. */
const maxGathered = 50_000;

/** Gathers when tokens were used, and writes it down now and then, for all at once. */
export class LastUsed {
  readonly #tokens: Collection<TokenDocument>;
  readonly #operations: Operations;
  #gathered = new Map<string, Date>();
  #cancelTimer: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(tokens: Collection<TokenDocument>, operations: Operations) {
    this.#tokens = tokens;
    this.#operations = operations;
  }

  /** Notes that `token` was used just now. */
  note({ _id, lastUsedAt }: Pick<TokenDocument, '_id' | 'lastUsedAt'>): void {
    const now = this.#operations.clock.now();
    if (this.#closed || (lastUsedAt instanceof Date && now - lastUsedAt.getTime() < precisionMs)) return;
    if (this.#gathered.has(_id) || this.#gathered.size >= maxGathered) return;
    this.#gathered.set(_id, new Date(now));
    this.#cancelTimer ??= this.#operations.clock.setTimer(() => void this.flush(), gatherMs);
  }

  /** Writes what was gathered. Never rejects: a time of use is not worth a failure. */
  flush(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const gathered = this.#gathered;
    if (gathered.size > 0) {
      this.#gathered = new Map();
      this.#writing = this.#writing.then(() => this.#write(gathered));
    }
    return this.#writing;
  }

  /** Writes what was gathered, and gathers no more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
  }

  async #write(gathered: ReadonlyMap<string, Date>): Promise<void> {
    const updates = Array.from(gathered, ([_id, usedAt]) => {
      // other processes write too: once a minute holds for all of them together
      const unlessFresh = { $not: { $gt: new Date(usedAt.getTime() - precisionMs) } };
      return { updateOne: { filter: { _id, lastUsedAt: unlessFresh }, update: { $set: { lastUsedAt: usedAt } } } };
    });
    try {
      await this.#operations.run('write when tokens were used', () => this.#tokens.bulkWrite(updates, { ordered: false }));
    } catch {
      // the next use of each token notes it again
    }
  }
}
