import { having, type Rule } from '../../src/checked-options.js';
import { kindOf } from '../../src/kind-of.js';
import { isThenable, promiseOf } from '../../src/maybe-promise.js';
import { type TimeLimit, withDeadline } from '../../src/time/deadline.js';

type Done = (error?: unknown) => void;

/** A store for express-session: the methods that this package uses, which all such stores have. */
export interface ExpressStore {
  get(id: string, callback: (error: unknown, session?: object | null) => void): unknown;
  set(id: string, session: never, callback?: Done): unknown;
  destroy(id: string, callback?: Done): unknown;
  touch?(id: string, session: never, callback?: Done): unknown;
}

/** What tells such a store from something else. */
export const anExpressStore: Rule = having('a store of express-session', 'get', 'set', 'destroy');

/** The same without overloads, so that it can be called whatever its sessions are. */
interface Callable {
  get(id: string, callback: (error: unknown, session?: unknown) => void): unknown;
  set(id: string, session: object, callback: Done): unknown;
  destroy(id: string, callback: Done): unknown;
  touch?(id: string, session: object, callback: Done): unknown;
}

/** The calls of a store as promises, each under a deadline. */
export class StoreCalls {
  /** The store itself: who waits for a turn with it goes by that. */
  readonly store: ExpressStore;
  readonly #callable: Callable;
  readonly #timeLimit: TimeLimit;

  constructor(store: ExpressStore, timeLimit: TimeLimit) {
    this.store = store;
    this.#callable = store as Callable;
    this.#timeLimit = timeLimit;
  }

  /** What is stored; `undefined` where there is nothing. */
  async get(id: string): Promise<object | undefined> {
    const found = await this.#call<unknown>('get', (done) => this.#callable.get(id, done));
    if (found === undefined || found === null || found === false || found === '') return undefined;
    if (typeof found !== 'object') throw new TypeError(`a session store must give sessions that are objects, got ${kindOf(found)}`);
    return found;
  }

  async set(id: string, session: object): Promise<void> {
    await this.#call('set', (done) => this.#callable.set(id, session, done));
  }

  async destroy(id: string): Promise<void> {
    await this.#call('destroy', (done) => this.#callable.destroy(id, done));
  }

  /** Prolongs the session; one whose store cannot do that is written again. Does nothing where it is gone. */
  async touch(id: string, session: object): Promise<void> {
    if (typeof this.#callable.touch !== 'function') {
      await this.set(id, session);
      return;
    }
    try {
      await this.#call('touch', (done) => this.#callable.touch?.(id, session, done));
    } catch (error) {
      // connect-mongo fails where the session was destroyed a moment before
      if ((await this.get(id)) !== undefined) throw error;
    }
  }

  #call<Value>(name: string, run: (done: (error: unknown, value?: Value) => void) => unknown): Promise<Value | undefined> {
    const onTimeout = (): Error => new Error(`The session store did not answer ${name} within ${this.#timeLimit.ms} ms.`);
    return withDeadline(() => answerOf(name, run), { ...this.#timeLimit, onTimeout });
  }
}

/** What is called back first, or thrown. */
function answerOf<Value>(name: string, run: (done: (error: unknown, value?: Value) => void) => unknown): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const returned = run((error, value) => {
      if (!error) resolve(value);
      // what express-session takes for "there is none"
      else if (name === 'get' && Reflect.get(Object(error), 'code') === 'ENOENT') resolve(undefined);
      else reject(error);
    });
    if (isThenable(returned)) promiseOf(returned).catch(reject);
  });
}
