import type { Connection } from '../channel/connection.js';
import type { Clock } from '../contracts/clock.js';
import type { BoundSource } from '../identity/user-source.js';
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
  /** Whose last sweep is not over yet. */
  readonly #running = new Set<BoundSource>();

  constructor(owner: SweepsOwner) {
    this.#owner = owner;
  }

  /** There are channels that are swept once in `ms` milliseconds. */
  start(ms: number): void {
    if (!this.#timers.has(ms)) this.#await(ms);
  }

  #await(ms: number): void {
    const cancel = this.#owner.clock.setTimer(() => this.#sweep(ms), ms);
    this.#timers.set(ms, cancel);
  }

  stop(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  #sweep(ms: number): void {
    this.#timers.delete(ms);
    const channels = this.#owner.channelsOfEvery(ms);
    if (channels.length === 0) return;
    this.start(ms);
    const bySource = new Map<BoundSource, Connection[]>();
    for (const channel of channels) {
      const { source } = channel.identity;
      if (source === undefined || this.#running.has(source)) continue;
      const known = bySource.get(source);
      if (known === undefined) bySource.set(source, [channel]);
      else known.push(channel);
    }
    for (const [source, ofSource] of bySource) void this.#check(source, ofSource, ms);
  }

  /** Each source by itself: one that hangs keeps no other from being asked. */
  async #check(source: BoundSource, channels: readonly Connection[], ms: number): Promise<void> {
    this.#running.add(source);
    await this.#owner.rechecks.check(channels, ms);
    this.#running.delete(source);
  }
}
