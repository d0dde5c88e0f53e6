import { types } from 'node:util';

/** Whether `value` is a promise, ours or another library's. A getter `then` that throws does so here, as it does under `await`. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as PromiseLike<unknown>).then === 'function'
  );
}

/**
 * The promise of `thenable`, which settles as `await` would: once, and with what a promise within the promise comes to, whatever a `then`
 * that is not ours does. An ordinary promise is given back itself.
 */
export function promiseOf<T>(thenable: PromiseLike<T>): Promise<T> {
  return looksOrdinary(thenable) ? Promise.resolve(thenable) : awaited(thenable);
}

/** `Promise.resolve` sees the rest: what only has the methods of a promise it lets reject. */
function looksOrdinary(thenable: PromiseLike<unknown>): boolean {
  try {
    return thenable.then === Promise.prototype.then && thenable.constructor === Promise;
  } catch {
    return false; // one of its getters throws, and will under await too
  }
}

async function awaited<T>(thenable: PromiseLike<T>): Promise<T> {
  return await thenable;
}

/**
 * What `done` makes of `result`, or `failed` of the error that it comes to: at once where `result` is no promise, in a promise where it
 * is one.
 */
export function whenDone<R>(
  result: unknown,
  done: (value: unknown) => R | PromiseLike<R>,
  failed: (error: unknown) => R | PromiseLike<R>,
): R | PromiseLike<R> {
  let pending: Promise<unknown> | undefined;
  try {
    pending = isThenable(result) ? promiseOf(result) : undefined;
  } catch (error) {
    return failed(error);
  }
  return pending === undefined ? done(result) : pending.then(done, failed);
}

/** Lets whatever `result` comes to pass: where it is a promise that rejects, be it with another one, the process would end. */
export function ignore(result: unknown): void {
  whenDone(result, nothing, ignorePromise);
}

/** A promise that was thrown, or is refused since its value is wanted, has nobody to hear its own rejection. */
export function ignorePromise(value: unknown): void {
  if (types.isPromise(value)) ignore(value);
}

/** Makes nothing of anything. */
export function nothing(): void {}
