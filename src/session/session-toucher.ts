import type { SessionStore } from '../contracts/session-store.js';
import { withDeadline } from '../deadline.js';
import { ChannelError } from '../errors.js';
import type { RecordContext, SessionRecord } from './session-record.js';

/** How many `touch` calls are under way at once where a store has no `touchMany`. */
const parallelTouches = 32;

/** Keeps the records of live channels from expiring under them: one timer for all, every third of `ttlMs`, and one batch. */
export class SessionToucher {
  readonly #context: RecordContext;
  readonly #records: () => Iterable<SessionRecord>;
  #cancel: (() => void) | undefined;

  constructor(context: RecordContext, records: () => Iterable<SessionRecord>) {
    this.#context = context;
    this.#records = records;
  }

  /** Goes on until {@link stop}, or until there is no record left. Does nothing where it runs already, or where there is no store. */
  start(): void {
    const { settings, clock } = this.#context;
    if (settings.store === undefined || this.#cancel !== undefined) return;
    const { store } = settings;
    this.#cancel = clock.setTimer(() => void this.#round(store), settings.ttlMs / 3);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  async #round(store: SessionStore): Promise<void> {
    const { settings, clock } = this.#context;
    const now = clock.now();
    const due = new Map<string, SessionRecord[]>();
    let some = false;
    for (const record of this.#records()) {
      some = true;
      const id = record.dueForTouch(now - settings.ttlMs / 3);
      if (id === undefined) continue;
      const sharers = due.get(id);
      if (sharers === undefined) due.set(id, [record]);
      else sharers.push(record);
    }
    this.#cancel = undefined;
    if (some) this.start();
    if (due.size === 0) return;
    try {
      await this.#touch(store, [...due.keys()], new Date(now + settings.ttlMs));
      for (const record of [...due.values()].flat()) record.touched(now);
    } catch (error) {
      this.#context.report(
        new ChannelError('ERR_SESSION_SAVE_FAILED', 'The sessions of live channels could not be touched.', { cause: error }),
      );
    }
  }

  async #touch(store: SessionStore, ids: readonly string[], expiresAt: Date): Promise<void> {
    const { clock, deadlineMs: ms } = this.#context;
    const onTimeout = (): Error => new Error(`The session store did not answer touch within ${ms} ms.`);
    if (store.touchMany !== undefined) {
      await withDeadline(() => store.touchMany?.(ids, expiresAt), { clock, ms, onTimeout });
      return;
    }
    for (let start = 0; start < ids.length; start += parallelTouches) {
      const batch = ids.slice(start, start + parallelTouches);
      await withDeadline(() => Promise.all(batch.map((id) => store.touch(id, expiresAt))), { clock, ms, onTimeout });
    }
  }
}
