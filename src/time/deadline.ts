import type { Clock } from '../contracts/clock.js';
import { ignorePromise, isThenable, promiseOf } from '../maybe-promise.js';
import { setFairTimer } from './fair-timer.js';

/** How long an operation may take, in milliseconds, and by which clock. */
export interface TimeLimit {
  readonly clock: Clock;
  readonly ms: number;
}

/** How to bound one operation in time. */
export interface Deadline extends TimeLimit {
  /** The error where time runs out. */
  readonly onTimeout: () => Error;
  /** What is told in place of an error of the operation. @default the error */
  readonly onError?: ((error: unknown) => unknown) | undefined;
}

/**
 * The result of `operation`, or a rejection after `ms` milliseconds in which it could be heard. A synchronous throw becomes a rejection, a
 * plain value a promise.
 */
export function withDeadline<T>(operation: () => PromiseLike<T> | T, deadline: Deadline): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let result: PromiseLike<T> | T;
    try {
      result = operation();
    } catch (error) {
      ignorePromise(error);
      reject(error);
      return;
    }
    if (!isThenable(result)) {
      resolve(result);
      return;
    }
    const cancel = setFairTimer(deadline.clock, () => reject(deadline.onTimeout()), deadline.ms);
    promiseOf(result as PromiseLike<T>).then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        ignorePromise(error);
        reject(deadline.onError ? deadline.onError(error) : error);
      },
    );
  });
}

/** {@link withDeadline} of what takes a signal, which is aborted with the same error when time runs out. */
export function withSignalAndDeadline<T>(
  operation: (signal: AbortSignal) => PromiseLike<T> | T,
  { clock, ms, onTimeout, onError }: Deadline,
): Promise<T> {
  const controller = new AbortController();
  const abort = (): Error => {
    const error = onTimeout();
    controller.abort(error);
    return error;
  };
  return withDeadline(() => operation(controller.signal), { clock, ms, onTimeout: abort, onError });
}
