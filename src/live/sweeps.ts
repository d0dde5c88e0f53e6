import type { Connection } from '../channel/connection.js';
import type { Clock } from '../contracts/clock.js';
import { groupedBy } from '../grouped-by.js';
import type { BoundSource } from '../identity/user-source.js';
import type { Rechecks } from './rechecks.js';

/** Looks up all channels again at regular intervals: one timer for each interval, as long as it has channels. */
export class Sweeps {
  readonly #clock: Clock;
  readonly #rechecks: Rechecks;
  readonly #channelsOfEvery: (ms: number) => readonly Connection[];
  /** What takes back the next sweep of each interval that has channels. */
  readonly #timers = new Map<number, () => void>();
  /** Whose last sweep is not over yet. */
  readonly #running = new Set<BoundSource>();

  /** @param channelsOfEvery gives the channels that are swept once in so many milliseconds. */
  constructor(clock: Clock, rechecks: Rechecks, channelsOfEvery: (ms: number) => readonly Connection[]) {
    this.#clock = clock;
    this.#rechecks = rechecks;
    this.#channelsOfEvery = channelsOfEvery;
  }

  /** There are channels that are swept once in `ms` milliseconds. */
  start(ms: number): void {
    if (this.#timers.has(ms)) return;
    const cancel = this.#clock.setTimer(() => this.#sweep(ms), ms);
    this.#timers.set(ms, cancel);
  }

  stop(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  #sweep(ms: number): void {
    this.#timers.delete(ms);
    const channels = this.#channelsOfEvery(ms);
    if (channels.length === 0) return;
    this.start(ms);
    for (const [source, ofSource] of groupedBy(channels, ({ identity }) => identity.source)) {
      if (!this.#running.has(source)) void this.#check(source, ofSource, ms);
    }
  }

  /** Each source by itself: one that hangs keeps no other from being asked. */
  async #check(source: BoundSource, channels: readonly Connection[], ms: number): Promise<void> {
    this.#running.add(source);
    await this.#rechecks.checkOf(source, channels, ms);
    this.#running.delete(source);
  }
}
