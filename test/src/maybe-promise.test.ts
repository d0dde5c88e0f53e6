import { setImmediate as nextTurn } from 'node:timers/promises';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { ignore, isThenable, promiseOf, whenDone } from '../../src/maybe-promise.js';
import { withDeadline } from '../../src/time/deadline.js';
import { TestClock } from '../../testing/test-clock.js';

/** Promises and what passes for them, each of which comes to an error. */
const failing: Record<string, () => unknown> = {
  'a promise': () => Promise.reject(new Error('no')),
  'a promise of another realm': () => runInNewContext('Promise.reject(new Error("no"))'),
  'a promise whose constructor getter throws': () =>
    Object.defineProperty(Promise.resolve(), 'constructor', {
      get: () => {
        throw new Error('no');
      },
    }),
  'what only has the methods of a promise': () => Object.create(Promise.prototype),
  'a thenable whose then throws': () => ({
    // biome-ignore lint/suspicious/noThenProperty: a thenable on purpose
    then: () => {
      throw new Error('no');
    },
  }),
  'an object whose then getter throws': () => ({
    // biome-ignore lint/suspicious/noThenProperty: a thenable on purpose
    get then() {
      throw new Error('no');
    },
  }),
  'a thenable that comes to a promise that rejects': () => ({
    // biome-ignore lint/suspicious/noThenProperty: a thenable on purpose
    then: (resolve: (value: unknown) => void) => resolve(Promise.reject(new Error('no'))),
  }),
};

describe('whenDone', () => {
  it('hands on a plain value at once', () => {
    const fail = (): string => 'failed';
    expect(whenDone(1, (value) => `got ${String(value)}`, fail)).toBe('got 1');
  });

  it.each(Object.entries(failing))('hears once that %s fails', async (_name, make) => {
    let heard = 0;
    await whenDone(
      make(),
      () => undefined,
      () => {
        heard += 1;
        return undefined;
      },
    );
    expect(heard).toBe(1);
  });

  it('hears once of a thenable that calls back often, with the first that it said', async () => {
    const heard: unknown[] = [];
    const often = {
      // biome-ignore lint/suspicious/noThenProperty: a thenable on purpose
      then(resolve: (value: unknown) => void, reject: (error: unknown) => void) {
        resolve(1);
        resolve(2);
        reject(new Error('no'));
      },
    };
    const hear = (value: unknown): number => heard.push(value);
    await whenDone(often, hear, hear);
    expect(heard).toEqual([1]);
  });
});

describe('promiseOf', () => {
  it('is an ordinary promise itself', () => {
    const promise = Promise.resolve();
    expect(promiseOf(promise)).toBe(promise);
    expect(isThenable(promise)).toBe(true);
  });
});

describe('ignore', () => {
  it.each(Object.entries(failing))('survives %s', async (_name, make) => {
    ignore(make());
    await nextTurn(); // a lost rejection would fail the run
  });
});

describe('withDeadline', () => {
  it('bounds what a thenable comes to, too', async () => {
    const clock = new TestClock();
    const hanging = {
      // biome-ignore lint/suspicious/noThenProperty: a thenable on purpose
      then: (resolve: (value: unknown) => void) => resolve(new Promise(() => undefined)),
    };
    const bounded = withDeadline(() => hanging as PromiseLike<never>, { clock, ms: 10, onTimeout: () => new Error('late') });
    const outcome = bounded.catch((error: unknown) => (error as Error).message);
    await nextTurn();
    await clock.advance(10);
    await expect(outcome).resolves.toBe('late');
  });
});
