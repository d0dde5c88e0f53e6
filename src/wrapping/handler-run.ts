import { isThenable, nothing, promiseOf } from '../maybe-promise.js';

/**
 * One run of a handler, as the wrapper around it sees it. A wrapper must return what `next` returned; where it forgets that, the handler is waited for
 * all the same: what it throws is the message's error, and nobody's unhandled rejection, which would end the process.
 */
export class HandlerRun {
  #hasReturned = false;
  #result: unknown;
  /** Set while the handler of a wrapper that has not returned its promise is at work. */
  #pending: Promise<unknown> | undefined;

  /** Whether the wrapper has returned: it runs its handler after waiting for something. */
  get isLate(): boolean {
    return this.#hasReturned;
  }

  /** The handler gave `result`, which is given back. */
  gave(result: unknown): unknown {
    if (this.#hasReturned) this.#watch(result);
    else this.#result = result;
    return result;
  }

  #watch(result: unknown): void {
    if (!isThenable(result)) return;
    const pending = promiseOf(result);
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
    if (result === given) return result; // as nearly all do
    this.#watch(given);
    if (isThenable(result)) return promiseOf(result).then((value) => this.#after(value));
    return this.#after(result);
  }

  #after(value: unknown): unknown {
    return this.#pending === undefined ? value : this.#pending.then(() => value);
  }

  /** The wrapper has thrown: whatever the handler comes to, that is the message's error. */
  threw(): void {
    this.#hasReturned = true;
    if (isThenable(this.#result)) promiseOf(this.#result).then(nothing, nothing);
  }
}
