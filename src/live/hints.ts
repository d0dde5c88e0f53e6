import type { Connection } from '../channel/connection.js';
import { setImmediate } from '../event-loop.js';
import type { Rechecks } from './rechecks.js';

/**
 * Channels that are to be looked up again soon. Those of one turn of the event loop make one batch; what comes while a batch is under way
 * waits for the next, since its answers may be older.
 */
export class Hints {
  readonly #rechecks: Rechecks;
  #waiting = new Set<Connection>();
  /** Those that are being looked up. */
  #asked: ReadonlySet<Connection> = new Set();
  #isRunning = false;

  constructor(rechecks: Rechecks) {
    this.#rechecks = rechecks;
  }

  add(channels: Iterable<Connection>): void {
    for (const channel of channels) this.#waiting.add(channel);
    if (this.#isRunning || this.#waiting.size === 0) return;
    this.#isRunning = true;
    setImmediate(() => void this.#run());
  }

  /** Whether something is about to be known of a channel. */
  has(channel: Connection): boolean {
    return this.#waiting.has(channel) || this.#asked.has(channel);
  }

  async #run(): Promise<void> {
    while (this.#waiting.size > 0) {
      this.#asked = this.#waiting;
      this.#waiting = new Set();
      await this.#rechecks.check(this.#asked);
    }
    this.#asked = new Set();
    this.#isRunning = false;
  }
}
