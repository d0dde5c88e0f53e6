import { ignorePromise, isThenable, promiseOf } from '../maybe-promise.js';

/**
 * One run of a handler, as the wrapper around it sees it. A wrapper must return what `next` returned; where it forgets that, the handler is
 * waited for all the same: what it throws is the message's error, and nobody's unhandled rejection, which would end the process.
 */
export class HandlerRun {
  #hasReturned = false;
  /** The message has its result: what the wrapper begins now is its own. */
  #isOver = false;
  #result: unknown;
  /** Set while the handler of a wrapper that has not returned its promise is at work. */
  #pending: Promise<unknown> | undefined;

  /** Whether the wrapper has returned: it runs its handler after waiting for something. */
  get isLate(): boolean {
    return this.#hasReturned;
  }

  /**
   * The handler gave `result`: that, or its promise. It is asked for once, since the query of a database may run each time that its `then`
   * is called.
   */
  gave(result: unknown): unknown {
    const given = isThenable(result) ? promiseOf(result) : result;
    if (!this.#hasReturned) {
      ignorePromise(this.#result); // it has been called twice, and waits for the second one
      this.#result = given;
    } else if (!this.#isOver) this.#watch(given);
    return given;
  }

  #watch(given: unknown): void {
    if (!(given instanceof Promise)) return;
    const pending: Promise<unknown> = given;
    const settled = (): void => {
      if (this.#pending === pending) this.#pending = undefined;
    };
    this.#pending = pending;
    pending.then(settled, settled);
  }

  /** The wrapper returned `result`: that, once the handler is done too. */
  returned(result: unknown): unknown {
    const given = this.#result;
    this.#hasReturned = true;
    if (result === given) {
      this.#isOver = true;
      return result; // as nearly all do
    }
    this.#watch(given);
    if (isThenable(result)) return promiseOf(result).then((value) => this.#after(value));
    return this.#after(result);
  }

  #after(value: unknown): unknown {
    if (this.#pending !== undefined) return this.#pending.then(() => this.#after(value));
    this.#isOver = true;
    return value;
  }

  /** The wrapper has thrown: whatever the handler comes to, that is the message's error. */
  threw(): void {
    this.#hasReturned = true;
    this.#isOver = true;
    ignorePromise(this.#result);
  }
}
