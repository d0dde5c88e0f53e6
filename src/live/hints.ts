import type { Connection } from '../channel/connection.js';
import { setImmediate } from '../event-loop.js';
import { foundOrMade } from '../found-or-made.js';
import type { BoundSource } from '../identity/user-source.js';
import type { Rechecks } from './rechecks.js';

/** The channels of one source that are to be looked up again. */
interface Line {
  waiting: Set<Connection>;
  /** Those that are being looked up. */
  asked: ReadonlySet<Connection>;
}

/**
 * Channels that are to be looked up again soon. Those of one source and one turn of the event loop make one batch; what comes while a batch
 * is under way waits for the next, since its answers may be older. No source waits for another: one may hang.
 */
export class Hints {
  readonly #rechecks: Rechecks;
  readonly #lines = new Map<BoundSource, Line>();

  constructor(rechecks: Rechecks) {
    this.#rechecks = rechecks;
  }

  add(channels: Iterable<Connection>): void {
    for (const channel of channels) {
      const { source } = channel.identity;
      if (source !== undefined) this.#lineOf(source).waiting.add(channel);
    }
  }

  /** Whether something is about to be known of a channel. */
  has(channel: Connection): boolean {
    for (const { waiting, asked } of this.#lines.values()) if (waiting.has(channel) || asked.has(channel)) return true;
    return false;
  }

  #lineOf(source: BoundSource): Line {
    return foundOrMade(this.#lines, source, () => {
      const line: Line = { waiting: new Set(), asked: new Set() };
      setImmediate(() => void this.#run(source, line));
      return line;
    });
  }

  async #run(source: BoundSource, line: Line): Promise<void> {
    while (line.waiting.size > 0) {
      line.asked = line.waiting;
      line.waiting = new Set();
      await this.#rechecks.check(line.asked);
    }
    this.#lines.delete(source);
  }
}
