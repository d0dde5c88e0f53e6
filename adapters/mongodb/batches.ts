import DataLoader from 'dataloader';

/** How many ids one query asks for at most. */
export const maxBatchSize = 1_000;

/** How long a batch is gathered at most. Only a process that is busy with nothing but handshakes gets there. */
const maxGatherMs = 200;
/** So many turns of the event loop without a look-up end the gathering. */
const enoughQuietTurns = 2;

/** A look-up that waits for its batch. Where its caller has given up, nothing is asked for it. */
interface Lookup {
  readonly id: string;
  readonly signal: AbortSignal;
}

/** Looks several ids up at once; an id with an `Error` fails alone, one that is left out is not there. */
export type BatchQuery<Found> = (ids: readonly string[]) => Promise<ReadonlyMap<string, Found | Error>>;

/**
 * Gathers look-ups that arrive together. The first goes at once; those that come while a batch is in flight wait for the next, so that a
 * busy process asks few large questions and an idle one waits for nobody. One batch is in flight at a time.
 */
export class Batches<Found> {
  readonly #loader: DataLoader<Lookup, Found | undefined>;
  readonly #query: BatchQuery<Found>;
  readonly #waiting: (() => void)[] = [];
  #inFlight = false;
  /** How many look-ups there were so far. */
  #asked = 0;

  constructor(query: BatchQuery<Found>) {
    this.#query = query;
    this.#loader = new DataLoader((lookups) => this.#load(lookups), {
      cache: false,
      maxBatchSize,
      batchScheduleFn: (dispatch) => this.#schedule(dispatch),
    });
  }

  /** What is found under `id`; the look-up is left out of its batch if `signal` is aborted before that goes. */
  find(id: string, signal: AbortSignal): Promise<Found | undefined> {
    this.#asked += 1;
    return this.#loader.load({ id, signal });
  }

  #schedule(dispatch: () => void): void {
    if (this.#inFlight) {
      this.#waiting.push(dispatch);
      return;
    }
    this.#inFlight = true;
    // The loader schedules a batch before it puts the first key into it.
    queueMicrotask(dispatch);
  }

  /**
   * Dispatches the next batch once the event loop turns without bringing more look-ups: in a storm of handshakes each of its turns brings
   * some, and to ask for these few at a time would take longer for all of them.
   */
  #gather(dispatch: () => void): void {
    const end = performance.now() + maxGatherMs;
    let asked = this.#asked;
    let quietTurns = 0;
    const turn = (): void => {
      quietTurns = this.#asked === asked ? quietTurns + 1 : 0;
      asked = this.#asked;
      const isFull = this.#waiting.length > 0;
      if (isFull || quietTurns >= enoughQuietTurns || performance.now() >= end) dispatch();
      else setImmediate(turn);
    };
    setImmediate(turn);
  }

  async #load(lookups: readonly Lookup[]): Promise<(Found | Error | undefined)[]> {
    try {
      const ids = new Set<string>();
      for (const { id, signal } of lookups) if (!signal.aborted) ids.add(id);
      const found = ids.size === 0 ? new Map<string, Found | Error>() : await this.#query([...ids]);
      return lookups.map(({ id }) => found.get(id));
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#inFlight = false;
      else this.#gather(next);
    }
  }
}
