import type { SessionStore, StoredSession } from '../contracts/session-store.js';
import { ChannelError } from '../errors.js';
import { ignorePromise, promiseOf } from '../maybe-promise.js';
import type { ErrorCode } from '../outcomes.js';
import { isWaitedFor, type PendingHandler, PendingHandlers, pendingSince } from '../pending-handlers.js';
import { slicesOf } from '../slices-of.js';
import { isThrown } from '../thrown.js';
import { FailedRemovals } from './failed-removals.js';
import type { RecordContext } from './known-record.js';
import { MemorySessionStore } from './memory-session-store.js';

/** How many `touch` calls are under way at once where a store has no `touchMany`. */
const parallelTouches = 32;

/** As it was made: whoever puts another in its place, on a store or on the class, is called. */
const ordinarySave = MemorySessionStore.prototype.save;

/** A store, each operation of which has a deadline, and fails with a {@link ChannelError}. */
export class BoundedStore {
  readonly #store: SessionStore;
  readonly #operations: PendingHandlers;
  readonly #failedRemovals: FailedRemovals;

  constructor(store: SessionStore, context: RecordContext) {
    this.#store = store;
    this.#operations = new PendingHandlers(context.clock, context.deadlineMs);
    this.#failedRemovals = new FailedRemovals((error) => context.report(error));
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

  /** The store itself, if there is nothing to wait for in a save: nobody has put another `save` in the place of the ordinary one. */
  get atOnce(): MemorySessionStore | undefined {
    const store = this.#store;
    return store.save === ordinarySave && store instanceof MemorySessionStore ? store : undefined;
  }

  destroy(id: string): Promise<void> {
    return this.#run('ERR_SESSION_SAVE_FAILED', 'destroy', () => this.#store.destroy(id));
  }

  /** Destroys a record; where that fails, it is reported. Never rejects. */
  async remove(id: string): Promise<void> {
    try {
      await this.destroy(id);
    } catch (error) {
      await this.#failedRemovals.add(error);
    }
  }

  /** Touches all of `ids`, in one call where the store can; else one that fails, or hangs, keeps none of the others from being touched. */
  async touch(ids: readonly string[], expiresAt: Date): Promise<void> {
    const store = this.#store;
    if (store.touchMany !== undefined) {
      await this.#run('ERR_SESSION_SAVE_FAILED', 'touch', async () => store.touchMany?.(ids, expiresAt));
      return;
    }
    const failures: unknown[] = [];
    for (const batch of slicesOf(ids, parallelTouches)) {
      const touches = batch.map((id) => this.#run('ERR_SESSION_SAVE_FAILED', 'touch', () => store.touch(id, expiresAt)));
      const failed = (await Promise.allSettled(touches)).filter((result) => result.status === 'rejected');
      failures.push(...failed.map(({ reason }): unknown => reason));
      if (failed.length === batch.length) break; // it is the store that fails
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Failures that are no `ChannelError` become `code`. */
  #run<T>(code: ErrorCode, name: string, run: () => PromiseLike<T>, onLate?: () => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const operation = new Operation(code, name, reject);
      try {
        const result = promiseOf(run());
        this.#operations.begin(operation);
        result.then(
          (value) => {
            this.#operations.end(operation);
            if (operation.isLate) onLate?.();
            else resolve(value);
          },
          (error: unknown) => {
            this.#operations.end(operation);
            operation.failed(error);
          },
        );
      } catch (error) {
        operation.failed(error);
      }
    });
  }
}

/** One operation of a store that is waited for. */
class Operation implements PendingHandler {
  [pendingSince] = 0;
  [isWaitedFor] = false;
  isLate = false;
  readonly #code: ErrorCode;
  readonly #name: string;
  readonly #reject: (error: ChannelError) => void;

  constructor(code: ErrorCode, name: string, reject: (error: ChannelError) => void) {
    this.#code = code;
    this.#name = name;
    this.#reject = reject;
  }

  outlasted(ms: number): void {
    this.isLate = true;
    this.#reject(new ChannelError(this.#code, `The session store did not answer ${this.#name} within ${ms} ms.`));
  }

  failed(error: unknown): void {
    this.#reject(failureOf(this.#code, this.#name, error));
  }
}

/** What an operation failed with: a `ChannelError` as it is, all else as the cause of one. */
function failureOf(code: ErrorCode, name: string, error: unknown): ChannelError {
  ignorePromise(error);
  return isThrown(error, ChannelError) ? error : new ChannelError(code, `The session store failed to ${name}.`, { cause: error });
}
