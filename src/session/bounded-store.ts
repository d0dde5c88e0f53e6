import type { Clock } from '../contracts/clock.js';
import type { SessionStore, StoredSession } from '../contracts/session-store.js';
import { withDeadline } from '../deadline.js';
import { ChannelError } from '../errors.js';
import type { ErrorCode } from '../outcomes.js';
import { isThrown } from '../thrown.js';

/** How many `touch` calls are under way at once where a store has no `touchMany`. */
const parallelTouches = 32;

/** A store, each operation of which has a deadline, and fails with a {@link ChannelError}. */
export class BoundedStore {
  readonly #store: SessionStore;
  readonly #clock: Clock;
  readonly #deadlineMs: number;

  constructor(store: SessionStore, clock: Clock, deadlineMs: number) {
    this.#store = store;
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
  }

  load(id: string): Promise<StoredSession | undefined> {
    return this.#run('ERR_SESSION_LOAD_FAILED', 'load', () => this.#store.load(id));
  }

  /** @param onLate is told when a record is created after all that was given up already. */
  create(id: string, session: StoredSession, onLate?: () => void): Promise<void> {
    return this.#run('ERR_SESSION_SAVE_FAILED', 'create', () => this.#store.create(id, session), onLate);
  }

  save(id: string, session: StoredSession, expectedVersion: number): Promise<void> {
    return this.#run('ERR_SESSION_SAVE_FAILED', 'save', () => this.#store.save(id, session, expectedVersion));
  }

  destroy(id: string): Promise<void> {
    return this.#run('ERR_SESSION_SAVE_FAILED', 'destroy', () => this.#store.destroy(id));
  }

  /** Touches all of `ids`, in one call where the store can. */
  async touch(ids: readonly string[], expiresAt: Date): Promise<void> {
    const store = this.#store;
    if (store.touchMany !== undefined) {
      await this.#run('ERR_SESSION_SAVE_FAILED', 'touch', async () => store.touchMany?.(ids, expiresAt));
      return;
    }
    for (let start = 0; start < ids.length; start += parallelTouches) {
      const batch = ids.slice(start, start + parallelTouches);
      await this.#run('ERR_SESSION_SAVE_FAILED', 'touch', () => Promise.all(batch.map((id) => store.touch(id, expiresAt))));
    }
  }

  /** Failures that are no `ChannelError` become `code`. */
  async #run<T>(code: ErrorCode, operation: string, run: () => Promise<T>, onLate?: () => void): Promise<T> {
    const ms = this.#deadlineMs;
    const onTimeout = (): Error => new ChannelError(code, `The session store did not answer ${operation} within ${ms} ms.`);
    try {
      return await withDeadline(run, { clock: this.#clock, ms, onTimeout }, onLate);
    } catch (error) {
      if (isThrown(error, ChannelError)) throw error;
      throw new ChannelError(code, `The session store failed to ${operation}.`, { cause: error });
    }
  }
}
