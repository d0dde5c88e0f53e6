import type { Clock } from '../contracts/clock.js';
import type { Revocation } from '../contracts/revocation-feed.js';

/** How long after it was published a revocation may come back to where it came from. */
const echoMs = 10_000;

interface Published {
  readonly name: string;
  /** On the monotonic clock. */
  readonly at: number;
  /** On the wall clock. */
  readonly date: Date;
}

/** What was published from here, and was acted on then, until it comes back. */
export class Echoes {
  readonly #clock: Clock;
  /** Earliest first. */
  #published: Published[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many may still come back. */
  get size(): number {
    return this.#published.length;
  }

  /** It is published now. */
  published(revocation: Revocation): void {
    this.#forgetOld();
    this.#published.push({ name: JSON.stringify(revocation), at: this.#clock.monotonic(), date: new Date(this.#clock.now()) });
  }

  /**
   * What a feed tells, as it is to be acted on: what comes back must not end those who have come since it was published, who are looked up
   * again.
   */
  heard(revocation: Revocation): Revocation {
    if (this.#published.length === 0) return revocation;
    this.#forgetOld();
    const name = JSON.stringify(revocation);
    const index = this.#published.findIndex((each) => each.name === name);
    const [published] = index < 0 ? [] : this.#published.splice(index, 1);
    if (published === undefined) return revocation;
    return 'userId' in revocation ? { ...revocation, issuedBefore: published.date } : { ...revocation, hint: true };
  }

  #forgetOld(): void {
    const since = this.#clock.monotonic() - echoMs;
    const first = this.#published.findIndex(({ at }) => at >= since);
    if (first !== 0) this.#published = first < 0 ? [] : this.#published.slice(first);
  }
}
