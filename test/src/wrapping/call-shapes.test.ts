import { describe, expect, it } from 'vitest';
import { compose, defineWrapper, withChannelSession, withChannelUser, withClientErrors, withOrdering } from '../../../entries/index.js';
import { callShapes } from '../../../src/wrapping/call-shapes.js';
import { thrownBy } from '../../support/site.js';

type AnyWrapper = (...args: unknown[]) => unknown;

const all = { withChannelSession, withChannelUser, withClientErrors, withOrdering, compose: compose(withChannelSession, withOrdering) };

describe.each(Object.entries(all) as unknown as [string, AnyWrapper][])('%s', (name, wrapper) => {
  const handler = (): void => {};

  it('takes a handler, no options or empty ones, and gives another handler named after it', () => {
    for (const wrapped of [wrapper(handler), (wrapper() as AnyWrapper)(handler), (wrapper({}) as AnyWrapper)(handler)]) {
      expect(typeof wrapped).toBe('function');
      expect(wrapped).not.toBe(handler);
      expect((wrapped as AnyWrapper).name).toContain('handler');
    }
    expect(wrapper.name).toContain(name);
  });

  it('takes a method as a standard and as a legacy decorator', () => {
    expect(typeof wrapper(handler, { kind: 'method', name: 'receive' })).toBe('function');
    const descriptor = { value: handler, writable: true, enumerable: false, configurable: true };
    const made = wrapper({}, 'receive', descriptor) as PropertyDescriptor;
    expect(made).toMatchObject({ writable: true, enumerable: false, configurable: true });
    expect(made.value).not.toBe(handler);
  });

  it.each<[string, readonly unknown[]]>([
    ['a string', ['handler']],
    ['a number', [7]],
    ['null', [null]],
    ['a field, as a standard decorator', [undefined, { kind: 'field', name: 'receive' }]],
    ['a class, as a standard decorator', [class {}, { kind: 'class', name: 'Chat' }]],
    ['a getter, as a legacy decorator', [{}, 'receive', { get: handler }]],
    ['a field, as a legacy decorator', [{}, 'receive', undefined]],
    ['a member named by a symbol that is no method', [{}, Symbol('receive'), { value: 1 }]],
  ])('throws a TypeError for %s', (_what, args) => {
    expect(thrownBy(() => wrapper(...args))).toBeInstanceOf(TypeError);
  });
});

describe('callShapes', () => {
  it('passes options on as they are, and a handler alone to wrap', () => {
    const calls: unknown[] = [];
    const [options, handler, wrapped] = [{ a: 1 }, () => 'handler', () => 'wrapped'];
    const shapes = callShapes(
      'withX',
      (given) => {
        calls.push(given);
        return wrapped;
      },
      (given) => calls.push(given),
    ) as AnyWrapper;
    shapes();
    shapes(options);
    expect(shapes(handler)).toBe(wrapped);
    expect(calls).toEqual([undefined, options, handler]);
    expect(calls[1]).toBe(options);
    expect(shapes.name).toBe('withX');
  });
});

describe('compose', () => {
  it('runs the first wrapper first', () => {
    const order: string[] = [];
    const step = (name: string) =>
      defineWrapper(name, (_message: object, next) => {
        order.push(name);
        return next();
      });
    const handler = compose(step('a'), step('b'), step('c'))(() => void order.push('handler'));
    void handler({} as never);
    expect(order).toEqual(['a', 'b', 'c', 'handler']);
  });

  it('of none is the handler itself', () => {
    const handler = (): number => 7;
    expect(compose()(handler)).toBe(handler);
  });

  it.each([[undefined], [null], [{}], ['withOrdering']])('throws a TypeError where an argument is %j, and says which', (wrong) => {
    const error = thrownBy(() => (compose as AnyWrapper)(withOrdering, wrong));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain('argument 2');
  });
});

describe('defineWrapper', () => {
  it.each([[undefined], [7], [{}]])('throws a TypeError where it is given %j for a function', (wrong) => {
    expect(thrownBy(() => (defineWrapper as AnyWrapper)('withX', wrong))).toBeInstanceOf(TypeError);
  });

  it('checks options when the wrapper is made, and hands the handler’s wrapper what was prepared', () => {
    const withLimit = defineWrapper(
      'withLimit',
      (given: { max?: number } = {}) => {
        if (given.max !== undefined && given.max < 1) throw new TypeError('withLimit: max must be at least 1');
        return { max: given.max ?? 10 };
      },
      (_message: object, next, options) => next({ limit: options.max }),
    );
    expect(thrownBy(() => withLimit({ max: 0 }))).toBeInstanceOf(TypeError);
    const limits: unknown[] = [];
    const note = (message: { limit: number }): void => void limits.push(message.limit);
    withLimit({ max: 3 })(note as never)({} as never);
    withLimit(note as never)({} as never);
    expect(limits).toEqual([3, 10]);
  });
});
