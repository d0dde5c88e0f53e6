import type { Connection } from '../channel/connection.js';
import type { Clock } from '../contracts/clock.js';
import type { Rechecks } from './rechecks.js';

/** What sweeps need of a server. */
export interface SweepsOwner {
  readonly clock: Clock;
  readonly rechecks: Rechecks;
  /** The channels that are swept once in `ms` milliseconds. */
  channelsOfEvery(ms: number): readonly Connection[];
}

/** Looks up all channels again at regular intervals: one timer for each interval, as long as it has channels. */
export class Sweeps {
  readonly #owner: SweepsOwner;
  /** What takes back the next sweep of each interval that has channels. */
  readonly #timers = new Map<number, () => void>();
  readonly #running = new Set<number>();

  constructor(owner: SweepsOwner) {
    this.#owner = owner;
  }

  /** There are channels that are swept once in `ms` milliseconds. */
  start(ms: number): void {
    if (!this.#timers.has(ms)) this.#await(ms);
  }

  #await(ms: number): void {
    const cancel = this.#owner.clock.setTimer(() => void this.#sweep(ms), ms);
    this.#timers.set(ms, cancel);
  }

  stop(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  async #sweep(ms: number): Promise<void> {
    this.#timers.delete(ms);
    const channels = this.#owner.channelsOfEvery(ms);
    if (channels.length === 0) return;
    this.start(ms);
    if (this.#running.has(ms)) return; // the last one is not over yet
    this.#running.add(ms);
    await this.#owner.rechecks.check(channels, ms);
    this.#running.delete(ms);
  }
}
