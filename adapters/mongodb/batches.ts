import DataLoader from 'dataloader';
import { queueMicrotask, setImmediate } from '../../src/event-loop.js';
import { slicesOf } from '../../src/slices-of.js';
import type { Operations } from './operations.js';

/** How many ids one query of gathered questions asks for at most, or documents one write has. */
export const maxBatchSize = 1_000;
/** How many ids one query of a list asks for at most: nobody's handshake waits for it. */
const maxListSize = 2_500;

/** A batch of so many is not gathered any longer: a larger one is hardly cheaper for each of them. */
const enoughQuestions = 100;
/** So many turns of the event loop without another question end the gathering, too. */
const enoughQuietTurns = 2;
/** How long a batch is gathered at most. Only a process that is short of time gets there. */
const maxGatherMs = 250;
/** So soon after a batch the next question is taken for one of many, as if that batch were still in flight. */
const stillBusyMs = 20;

/** An id that waits for its batch. Where its caller has given up, nothing is asked for it. */
interface Question<Id extends string> {
  readonly id: Id;
  readonly signal: AbortSignal;
}

/** Asks for several ids at once; an id with an `Error` fails alone, to one that is left out there is no answer. */
export type BatchQuery<Answer, Id extends string = string> = (
  ids: readonly Id[],
  signal: AbortSignal,
) => Promise<ReadonlyMap<Id, Answer | Error>>;

/** What was found of a list, and what could not be read. */
export interface ListAnswer<Id extends string, Found> {
  readonly found: Map<Id, Found>;
  readonly failures: ReadonlyMap<Id, Error>;
}

/**
 * Gathers questions about single ids that arrive together. The first goes at once; those that come while a batch is in flight wait for the
 * next. So a busy process asks a few times for many ids, and an idle one waits for nobody. One batch is in flight at a time.
 */
export class Batches<Answer, Id extends string = string> {
  readonly #loader: DataLoader<Question<Id>, Answer | undefined>;
  readonly #operations: Operations;
  readonly #what: string;
  readonly #query: BatchQuery<Answer, Id>;
  readonly #waiting: (() => void)[] = [];
  #inFlight = false;
  /** When there was last a batch in flight. */
  #busyUntil = Number.NEGATIVE_INFINITY;
  /** How many questions wait for a batch to go. */
  #pending = 0;

  /** @param what completes "MongoDB did not …". */
  constructor(operations: Operations, what: string, query: BatchQuery<Answer, Id>) {
    this.#operations = operations;
    this.#what = what;
    this.#query = query;
    this.#loader = new DataLoader((questions) => this.#load(questions), {
      cache: false,
      maxBatchSize,
      batchScheduleFn: (dispatch) => this.#schedule(dispatch),
    });
  }

  /** The answer for `id`; it is left out of its batch if `signal` is aborted before that goes. */
  ask(id: Id, signal: AbortSignal): Promise<Answer | undefined> {
    this.#pending += 1;
    return this.#loader.load({ id, signal });
  }

  /** What `pick` makes of the answers for a list. Lists go by themselves, some thousand ids at a time. */
  async askAll<Picked>(ids: readonly Id[], pick: (answer: Answer) => Picked): Promise<ListAnswer<Id, Picked>> {
    const found = new Map<Id, Picked>();
    const failures = new Map<Id, Error>();
    for (const some of slicesOf(ids, maxListSize)) {
      for (const [id, answer] of await this.#askSome(some)) {
        if (answer instanceof Error) failures.set(id, answer);
        else found.set(id, pick(answer));
      }
    }
    return { found, failures };
  }

  /** A list of one belongs to what is asked beside it, like the tickets of a storm. */
  async #askSome(ids: readonly Id[]): Promise<ReadonlyMap<Id, Answer | Error>> {
    const [id] = ids;
    if (id === undefined || ids.length > 1) return this.#run(ids);
    const answer = await this.#operations.run(this.#what, (signal) => this.ask(id, signal));
    return new Map(answer === undefined ? [] : [[id, answer]]);
  }

  #run(ids: readonly Id[]): Promise<ReadonlyMap<Id, Answer | Error>> {
    return this.#operations.run(this.#what, (signal) => this.#query(ids, signal));
  }

  #schedule(dispatch: () => void): void {
    if (this.#inFlight) {
      this.#waiting.push(dispatch);
      return;
    }
    this.#inFlight = true;
    const isBusy = performance.now() - this.#busyUntil < stillBusyMs;
    // the loader schedules a batch before it puts the first key into it
    queueMicrotask(isBusy ? () => this.#gather(dispatch) : dispatch);
  }

  /**
   * Dispatches the next batch once there are enough questions, or no more come. In a storm of handshakes each turn of the event loop brings
   * a few: to ask for these at a time would take longer for all of them.
   */
  #gather(dispatch: () => void): void {
    const end = performance.now() + maxGatherMs;
    let pending = -1;
    let quietTurns = 0;
    const turn = (): void => {
      quietTurns = this.#pending === pending ? quietTurns + 1 : 0;
      pending = this.#pending;
      if (pending >= enoughQuestions || quietTurns >= enoughQuietTurns || performance.now() >= end) dispatch();
      else setImmediate(turn);
    };
    turn();
  }

  async #load(questions: readonly Question<Id>[]): Promise<(Answer | Error | undefined)[]> {
    this.#pending -= questions.length;
    try {
      const ids = new Set<Id>();
      for (const { id, signal } of questions) if (!signal.aborted) ids.add(id);
      const answers = ids.size === 0 ? new Map<Id, Answer | Error>() : await this.#run([...ids]);
      return questions.map(({ id }) => answers.get(id));
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) {
        this.#inFlight = false;
        this.#busyUntil = performance.now();
      } else this.#gather(next);
    }
  }
}
