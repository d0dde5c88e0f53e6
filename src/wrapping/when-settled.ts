import { isThenable, promiseOf, whenDone } from '../maybe-promise.js';
import type { Passed } from './wrapper.js';

/**
 * Runs `run`, then `done`, also after a throw; stays synchronous if both do. It is for wrappers that do something after the handler, and
 * costs a synchronous handler no promise. If `done` throws, or its promise rejects, that replaces the result.
 */
export function whenSettled<P extends Passed<object>>(run: () => P, done: (error?: unknown) => unknown): P {
  let result: unknown;
  try {
    result = run();
  } catch (error) {
    return afterDone(done(error), () => {
      throw error;
    }) as P;
  }
  return whenDone<unknown>(
    result,
    (value) => afterDone(done(), () => value),
    (error) =>
      afterDone(done(error), () => {
        throw error;
      }),
  ) as P;
}

function afterDone(done: unknown, settle: () => unknown): unknown {
  return isThenable(done) ? promiseOf(done).then(settle) : settle();
}
