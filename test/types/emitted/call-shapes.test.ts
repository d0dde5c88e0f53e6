import { describe, expect, it } from 'vitest';
import { compose } from '../../../src/wrapping/compose.js';
import { defineWrapper } from '../../../src/wrapping/define-wrapper.js';
import { whenSettled } from '../../../src/wrapping/when-settled.js';
import type { Handler, Wrapper } from '../../../src/wrapping/wrapper.js';
import { messageOf } from './message-of.js';
import { promisesMadeBy } from './promises-made-by.js';

interface HasName {
  readonly name: string;
}
const withName = defineWrapper(
  'withName',
  (given: { readonly suffix?: string } = {}) => ({ suffix: given.suffix ?? '' }),
  (message, next, { suffix }) => next<HasName>({ name: message.channel.id + suffix }),
);
const withNothing = defineWrapper('withNothing', (_message, next) => next());
const withGuard = defineWrapper('withGuard', (message, next) => {
  if (message.channel.id === 'nobody') throw new Error('refused');
  return next();
});

/** A call that the compiler would refuse. */
function wrongly(wrapper: unknown): (...args: readonly unknown[]) => unknown {
  return wrapper as (...args: readonly unknown[]) => unknown;
}

describe('a wrapped handler', () => {
  const handler = function receive(this: unknown, message: HasName, room: string): unknown[] {
    return [this, message.name, room];
  };
  const shapes: Record<string, unknown> = {
    bare: withName(handler),
    'with an empty call': withName()(handler),
    'with options': withName({ suffix: '' })(handler),
    nested: withNothing(withGuard(withName(handler))),
    composed: compose(withNothing, withName(), withGuard)(handler),
    'composed of compositions': compose(compose(withNothing), compose(withName({}), compose()))(handler),
    'by a composition called without options': (compose(withNothing, withName) as unknown as () => Wrapper<HasName>)()(handler),
    'as a callback of map': [handler].map((each) => withName(each))[0],
  };

  it.each(Object.entries(shapes))('%s: gets this and further arguments, and gives its result without a promise', (_shape, wrapped) => {
    const self = {};
    let result: unknown;
    expect(promisesMadeBy(() => (result = (wrapped as Handler<HasName, [string]>).call(self, messageOf('ann'), 'room')))).toBe(0);
    expect((result as unknown[])[0]).toBe(self);
    expect((result as unknown[]).slice(1)).toEqual(['ann', 'room']);
  });

  it('gets the options of the call', () => {
    expect(withName({ suffix: '!' })((message) => message.name)(messageOf('ann'))).toBe('ann!');
  });

  it('gets the one message that all wrappers saw', () => {
    const message = messageOf<object>('ann');
    expect(withNothing(withName((got) => got))(message)).toBe(message);
  });

  it('makes the promise that it returns, and its wrappers none', async () => {
    const own = Promise.resolve(1);
    const wrapped = withNothing(withGuard(withName(() => own)));
    let result: unknown;
    expect(promisesMadeBy(() => (result = wrapped(messageOf('ann'))))).toBe(0);
    expect(result).toBe(own);
    expect(promisesMadeBy(() => (result = withNothing(withName(async () => 2))(messageOf('ann'))))).toBe(1);
    expect(await result).toBe(2);
  });

  it('is named after its wrappers, in its name and in stack traces', () => {
    const failing = withNothing(
      withName(function receive() {
        throw new Error('from the handler');
      }),
    );
    expect(failing.name).toBe('withNothing(withName(receive))');
    expect(withName(() => {}).name).toBe('withName(handler)');
    let stack: string | undefined;
    try {
      void failing(messageOf('ann'));
    } catch (error) {
      stack = (error as Error).stack;
    }
    expect(stack).toMatch(/receive[\s\S]*withName\(receive\)[\s\S]*withNothing\(withName\(receive\)\)/);
  });
});

describe('a wrapper', () => {
  it('has its name, and a composition the names of its wrappers', () => {
    expect(withName.name).toBe('withName');
    expect(withName({}).name).toBe('withName');
    expect(compose(withNothing, withName).name).toBe('compose(withNothing, withName)');
  });

  it('works once per message, however often it is applied', () => {
    let runs = 0;
    const withCount = defineWrapper('withCount', (_message, next) => next({ count: ++runs }));
    expect(withCount(withCount((message) => message.count))(messageOf('ann'))).toBe(1);
    expect(withCount(withNothing(withCount((message) => message.count)))(messageOf('ann'))).toBe(2);
    const made = withCount();
    void made(made(() => {}))(messageOf('ann'));
    expect(runs).toBe(3);
  });

  it('works once per message when it is one of many', () => {
    const runs = new Map<number, number>();
    const many = Array.from({ length: 40 }, (_, index) =>
      defineWrapper(`withRun${index}`, (_message, next) => {
        runs.set(index, (runs.get(index) ?? 0) + 1);
        return next();
      }),
    );
    for (const wrapper of many) void wrapper(withNothing(wrapper(() => {})))(messageOf('ann'));
    const all = many.reduceRight<Handler>(
      (inner, wrapper) => wrapper(wrapper(inner) as Handler) as Handler,
      () => {},
    );
    all(messageOf('ann'));
    expect([...runs.values()]).toEqual(many.map(() => 2));
  });

  it('refuses again when an outer wrapper retries', () => {
    const withRetry = defineWrapper('withRetry', (_message, next) => {
      try {
        return next();
      } catch {
        return next();
      }
    });
    let reached = false;
    const guarded = withRetry(
      withGuard(() => {
        reached = true;
      }),
    );
    expect(() => guarded(messageOf('nobody'))).toThrow('refused');
    expect(reached).toBe(false);
  });

  it('gives a promise where it waits', async () => {
    const withLate = defineWrapper('withLate', async (_message, next) => next({ late: await Promise.resolve(7) }));
    const result = withNothing(withLate((message) => message.late))(messageOf('ann'));
    expect(result).toBeInstanceOf(Promise);
    expect(await result).toBe(7);
  });

  it('stands around the handler: before it, and after it has settled', async () => {
    const log: string[] = [];
    const withLog = defineWrapper('withLog', async (_message, next) => {
      log.push('before');
      try {
        // oxlint-disable-next-line typescript/await-thenable -- what next returns may be a promise, which its opaque type does not say.
        return await next();
      } finally {
        log.push('after');
      }
    });
    const wrapped = withLog(async () => {
      log.push('handler');
      return 3;
    });
    expect(await wrapped(messageOf('ann'))).toBe(3);
    expect(log).toEqual(['before', 'handler', 'after']);
  });
});

describe('whenSettled', () => {
  it('stays synchronous where the handler is, and runs after a throw and a rejection too', async () => {
    const log: string[] = [];
    const withDone = defineWrapper('withDone', (_message, next) =>
      whenSettled(
        () => next(),
        (error) => log.push((error as Error | undefined)?.message ?? 'done'),
      ),
    );
    let result: unknown;
    expect(promisesMadeBy(() => (result = withDone(() => 3)(messageOf('ann'))))).toBe(0);
    expect(result).toBe(3);
    const throwing = withDone(() => {
      throw new Error('sync');
    });
    expect(() => throwing(messageOf('ann'))).toThrow('sync');
    const rejecting = withDone(async () => {
      throw new Error('async');
    });
    await expect(rejecting(messageOf('ann'))).rejects.toThrow('async');
    expect(await withDone(async () => 4)(messageOf('ann'))).toBe(4);
    expect(log).toEqual(['done', 'sync', 'async', 'done']);
  });
});

describe('a mistake is a TypeError', () => {
  const mistakes: Record<string, () => unknown> = {
    'a number for a handler': () => wrongly(withName)(42),
    'null for options': () => wrongly(withName)(null),
    'a decorator on a field, standard': () => wrongly(withName)(undefined, { kind: 'field', name: 'field' }),
    'a decorator on a class, standard': () => wrongly(withName)(class {}, { kind: 'class', name: 'Chat' }),
    'a decorator on a field, legacy': () => wrongly(withName)({}, 'field', undefined),
    'a decorator on a getter, legacy': () => wrongly(withName)({}, 'getter', { get: () => 1 }),
    'a composition of what is no wrapper': () => wrongly(compose)(withName, 42),
    'a wrapper without a function': () => wrongly(defineWrapper)('withName'),
    'a wrapper whose second part is no function': () => wrongly(defineWrapper)('withName', () => ({}), 42),
  };

  it.each(Object.entries(mistakes))('%s', (_mistake, make) => {
    expect(make).toThrow(TypeError);
  });

  it('and names the wrapper, and what it got', () => {
    expect(() => wrongly(withName)(42)).toThrow(/withName.*number/);
    expect(() => wrongly(withName)(undefined, { kind: 'field' })).toThrow(/@withName.*field/);
    expect(() => wrongly(withName)({}, 'room', undefined)).toThrow(/@withName.*room/);
  });
});
