import { ChannelError } from '../errors.js';
import type { BoundedStore } from './bounded-store.js';
import type { RecordContext } from './known-record.js';
import type { SessionRecord } from './session-record.js';

/** How soon a round comes that cannot wait, at most. */
const maxHurryMs = 1_000;

/** Keeps the records in use from expiring: one timer for all, every third of `ttlMs`, and one batch. */
export class SessionToucher {
  readonly #context: RecordContext;
  readonly #store: BoundedStore;
  readonly #records: ReadonlyMap<SessionRecord, unknown>;
  #cancel: (() => void) | undefined;
  #isHurrying = false;

  /** @param records those in use, each of them once. */
  constructor(context: RecordContext, store: BoundedStore, records: ReadonlyMap<SessionRecord, unknown>) {
    this.#context = context;
    this.#store = store;
    this.#records = records;
  }

  /** Goes on until {@link stop}, or until there is no record left. Does nothing where it runs already. */
  start(): void {
    this.#cancel ??= this.#context.clock.setTimer(() => void this.#round(), this.#context.settings.ttlMs / 3);
  }

  /** A record was found that may not live until the next round: that comes soon, and takes along those which are found meanwhile. */
  hurry(): void {
    if (this.#isHurrying) return;
    this.stop();
    this.#isHurrying = true;
    const ms = Math.min(this.#context.settings.ttlMs / 100, maxHurryMs);
    this.#cancel = this.#context.clock.setTimer(() => void this.#round(), ms);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#isHurrying = false;
  }

  async #round(): Promise<void> {
    const { settings, clock } = this.#context;
    this.stop();
    if (this.#records.size > 0) this.start();
    const now = clock.monotonic();
    const due = new Map<string, SessionRecord>();
    for (const record of this.#records.keys()) {
      const id = record.dueForTouch(now - settings.ttlMs / 3);
      if (id !== undefined) due.set(id, record);
    }
    if (due.size === 0) return;
    try {
      await this.#store.touch([...due.keys()], new Date(clock.now() + settings.ttlMs));
      for (const record of due.values()) record.touched(now);
    } catch (error) {
      this.#context.report(
        new ChannelError('ERR_SESSION_SAVE_FAILED', 'The sessions of live channels could not be touched.', { cause: error }),
      );
    }
  }
}
