import type { Clock } from './contracts/clock.js';
import { ignoreThrown, isThenable, promiseOf } from './maybe-promise.js';

/** How to bound one operation in time. */
export interface Deadline {
  readonly clock: Clock;
  readonly ms: number;
  /** The error where time runs out. */
  readonly onTimeout: () => Error;
}

/**
 * The result of `operation`, or a rejection after `ms` milliseconds. A synchronous throw becomes a rejection, a plain value a promise.
 *
 * @param onLate is told when an operation that had run out of time succeeds after all.
 */
export function withDeadline<T>(operation: () => PromiseLike<T> | T, deadline: Deadline, onLate?: () => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let result: PromiseLike<T> | T;
    try {
      result = operation();
    } catch (error) {
      ignoreThrown(error);
      reject(error);
      return;
    }
    if (!isThenable(result)) {
      resolve(result);
      return;
    }
    let late = false;
    const cancel = deadline.clock.setTimer(() => {
      late = true;
      reject(deadline.onTimeout());
    }, deadline.ms);
    promiseOf(result as PromiseLike<T>).then(
      (value) => {
        cancel();
        if (late) onLate?.();
        else resolve(value);
      },
      (error: unknown) => {
        cancel();
        ignoreThrown(error);
        reject(error);
      },
    );
  });
}
