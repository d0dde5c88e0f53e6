import type { Clock } from '../contracts/clock.js';
import type { SessionStore, StoredSession } from '../contracts/session-store.js';
import { ChannelError } from '../errors.js';
import { ignoreThrown, isThenable, promiseOf } from '../maybe-promise.js';
import type { ErrorCode } from '../outcomes.js';
import { type PendingHandler, PendingHandlers } from '../pending-handlers.js';
import { isThrown } from '../thrown.js';

/** How many `touch` calls are under way at once where a store has no `touchMany`. */
const parallelTouches = 32;

/** A store, each operation of which has a deadline, and fails with a {@link ChannelError}. */
export class BoundedStore {
  readonly #store: SessionStore;
  readonly #operations: PendingHandlers;

  constructor(store: SessionStore, clock: Clock, deadlineMs: number) {
    this.#store = store;
    this.#operations = new PendingHandlers(clock, deadlineMs);
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
  #run<T>(code: ErrorCode, name: string, run: () => PromiseLike<T> | T, onLate?: () => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const operation = new Operation((ms) => {
        reject(new ChannelError(code, `The session store did not answer ${name} within ${ms} ms.`));
      });
      const failed = (error: unknown): void => {
        this.#operations.end(operation);
        ignoreThrown(error);
        if (isThrown(error, ChannelError)) reject(error);
        else reject(new ChannelError(code, `The session store failed to ${name}.`, { cause: error }));
      };
      try {
        const result = run();
        if (!isThenable(result)) {
          resolve(result);
          return;
        }
        this.#operations.begin(operation);
        promiseOf(result).then((value) => {
          this.#operations.end(operation);
          if (operation.isLate) onLate?.();
          else resolve(value);
        }, failed);
      } catch (error) {
        failed(error);
      }
    });
  }
}

/** One operation of a store that is waited for. */
class Operation implements PendingHandler {
  startedAt = 0;
  isPending = false;
  isLate = false;
  readonly #giveUp: (ms: number) => void;

  constructor(giveUp: (ms: number) => void) {
    this.#giveUp = giveUp;
  }

  outlasted(ms: number): void {
    this.isLate = true;
    this.#giveUp(ms);
  }
}
