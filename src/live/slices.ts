import type { Clock } from '../contracts/clock.js';
import { maxInFlight } from '../identity/some-at-a-time.js';

/** How many ids one batch asks for at most. */
const batchSize = 5_000;

/** How questions are put, slice by slice. */
export interface Slicing<Question> {
  /** Whether several are asked for in one batch. Otherwise it is one at a time, and some under way. */
  readonly isBatched: boolean;
  /** Over how long slices are spread that cannot be asked for in batches. @default 0 */
  readonly spreadMs?: number | undefined;
  /** Whether it is still to be put when its turn comes. @default always */
  readonly isWanted?: ((question: Question) => boolean) | undefined;
  /** Told what is left when nobody can tell of any in a slice any more: it may take long until it is asked for. */
  readonly waits?: ((rest: readonly Question[]) => void) | undefined;
}

/** Puts many questions, in slices as large as whoever is asked takes. */
export class Slices {
  readonly #clock: Clock;
  readonly #pauses = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param each puts one slice; resolves to whether nobody could tell of any of it. */
  async run<Question>(
    questions: readonly Question[],
    { isBatched, spreadMs = 0, isWanted = () => true, waits }: Slicing<Question>,
    each: (slice: readonly Question[]) => Promise<boolean>,
  ): Promise<void> {
    const size = isBatched ? batchSize : maxInFlight;
    const beganAt = this.#clock.monotonic();
    let canTell = true;
    for (let start = 0; start < questions.length; start += size) {
      const slice = questions.slice(start, start + size).filter(isWanted);
      if (slice.length === 0) continue;
      const pauseMs = isBatched ? 0 : beganAt + (spreadMs * start) / questions.length - this.#clock.monotonic();
      if (pauseMs > 0 && !(await this.#pause(pauseMs))) return;
      const failed = isBatched ? [await each(slice)] : await Promise.all(slice.map((one) => each([one])));
      const couldTell = canTell;
      canTell = failed.includes(false);
      if (couldTell && !canTell) waits?.(questions.slice(start + size));
    }
  }

  /** What waits for its turn is not asked, and no timer is left. */
  stop(): void {
    for (const stop of [...this.#pauses]) stop();
  }

  /** Resolves to whether to go on. */
  #pause(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (goesOn: boolean): void => {
        this.#pauses.delete(stop);
        resolve(goesOn);
      };
      const cancel = this.#clock.setTimer(() => settle(true), ms);
      const stop = (): void => {
        cancel();
        settle(false);
      };
      this.#pauses.add(stop);
    });
  }
}
