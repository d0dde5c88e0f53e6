import type { Clock } from '../contracts/clock.js';
import type { Revocation } from '../contracts/revocation-feed.js';

/** How long after it was published a revocation may come back to where it came from. */
const echoMs = 10_000;
/** So often at most it is looked for what is too old: a map from whose front much was deleted is slow to begin with. */
const forgetMs = 1_000;

/** When something was published. */
interface Published {
  /** On the monotonic clock. */
  readonly at: number;
  /** On the wall clock. */
  readonly date: Date;
}

/**
 * What was published from here, and was acted on then, until it comes back. It may be much at a time, as when everybody is logged out. If
 * it is lost, the same of another process within {@link echoMs} is taken for it: that one, too, has those looked up again who have come since,
 * and does not end them at once.
 */
export class Echoes {
  readonly #clock: Clock;
  /** How often each is still to come back, earliest first; what was published last stands last. */
  readonly #published = new Map<string, Published[]>();
  #forgetAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many may still come back. */
  get size(): number {
    return [...this.#published.values()].reduce((sum, times) => sum + times.length, 0);
  }

  /** It is published now. */
  published(revocation: Revocation): void {
    this.#forgetOld();
    const name = JSON.stringify(revocation);
    const times = this.#timesOf(name);
    times.push({ at: this.#clock.monotonic(), date: new Date(this.#clock.now()) });
    this.#published.delete(name);
    this.#published.set(name, times);
  }

  /**
   * What a feed tells, as it is to be acted on: what comes back must not end those who have come since it was published, who are looked up
   * again.
   */
  heard(revocation: Revocation): Revocation {
    if (this.#published.size === 0) return revocation;
    this.#forgetOld();
    const name = JSON.stringify(revocation);
    const times = this.#timesOf(name);
    const published = times.shift();
    if (times.length === 0) this.#published.delete(name);
    if (published === undefined) return revocation;
    return 'userId' in revocation ? { ...revocation, issuedBefore: published.date } : { ...revocation, hint: true };
  }

  #forgetOld(): void {
    const now = this.#clock.monotonic();
    if (now < this.#forgetAt) return;
    this.#forgetAt = now + forgetMs;
    const since = now - echoMs;
    for (const [name, times] of this.#published) {
      if ((times.at(-1)?.at ?? 0) >= since) return;
      this.#published.delete(name);
    }
  }

  /** When `name` was published, but for what is too old. */
  #timesOf(name: string): Published[] {
    const times = this.#published.get(name) ?? [];
    const since = this.#clock.monotonic() - echoMs;
    while (times[0] !== undefined && times[0].at < since) times.shift();
    return times;
  }
}
