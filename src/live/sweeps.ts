import type { Connection } from '../channel/connection.js';
import type { Clock } from '../contracts/clock.js';
import type { BoundSource } from '../identity/user-source.js';
import type { Rechecks } from './rechecks.js';

/** What sweeps need of a server. */
export interface SweepsOwner {
  readonly clock: Clock;
  readonly rechecks: Rechecks;
  /** How many milliseconds lie between two sweeps; `undefined` where there are none. */
  everyMs(source: BoundSource): number | undefined;
  /** The channels that `source` identified. */
  channelsOf(source: BoundSource): readonly Connection[];
}

/** Looks up all channels again at regular intervals: one timer for each source, as long as it has channels. */
export class Sweeps {
  readonly #owner: SweepsOwner;
  readonly #timers = new Map<BoundSource, () => void>();
  readonly #running = new Set<BoundSource>();

  constructor(owner: SweepsOwner) {
    this.#owner = owner;
  }

  /** `source` has channels. */
  start(source: BoundSource): void {
    if (this.#timers.has(source) || source.recheck === undefined) return;
    const ms = this.#owner.everyMs(source);
    if (ms !== undefined)
      this.#timers.set(
        source,
        this.#owner.clock.setTimer(() => void this.#sweep(source, ms), ms),
      );
  }

  stop(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  async #sweep(source: BoundSource, ms: number): Promise<void> {
    this.#timers.delete(source);
    const channels = this.#owner.channelsOf(source);
    if (channels.length === 0) return;
    this.start(source);
    if (this.#running.has(source)) return; // the last one is not over yet
    this.#running.add(source);
    await this.#owner.rechecks.check(channels, ms);
    this.#running.delete(source);
  }
}
