import { checkedOptions } from '../checked-options.js';
import { isThenable, promiseOf } from '../maybe-promise.js';
import { configurable } from '../wrapping/define-wrapper.js';
import { type AnyHandler, madeHandler, nameAround } from '../wrapping/made-function.js';
import { requirementsOf } from '../wrapping/requirements.js';
import type { NoOptions } from '../wrapping/wrapper.js';
import { type ChannelMessage, channelMessage } from './channel-message.js';
import type { KnownRequirement } from './requirement-kinds.js';

/** The parts of a wrapper of this package. Each is told the wrapper's name for its errors, so that the name is written once. */
export interface BuiltInParts<Given extends object, Options> {
  /** Checks and copies the options when the wrapper is made. Left out, the wrapper takes none. */
  prepare?(given: Given | undefined, name: string): Options;
  /** What the wrapper needs of the server. */
  requires?(options: Options, name: string): readonly KnownRequirement[];
  /** Adds to the message, or throws. Returns a promise only where it must wait. */
  before?(message: ChannelMessage, options: Options, name: string): void | PromiseLike<void>;
  /** Deals with what `before` or the handler threw, or throws it again; the result is then `undefined`. */
  failed?(error: unknown, message: ChannelMessage): undefined;
}

/** @throws {TypeError} when there are options. */
export function checkNoOptions(given: object | undefined, name: string): undefined {
  checkedOptions(name, given, {});
  return undefined;
}

/**
 * Makes a wrapper of this package: the counterpart of `defineWrapper`, which is for everybody else. It costs a message neither a closure nor
 * a mark, tells the server what the wrapper needs, and hands the runtime's own message to its parts. `Shape` is the type that the wrapper is
 * declared with.
 */
export function defineBuiltIn<Shape, Given extends object = NoOptions, Options = undefined>(
  name: string,
  parts: BuiltInParts<Given, Options>,
): Shape {
  const prepare = (given: object | undefined): unknown =>
    parts.prepare === undefined ? checkNoOptions(given, name) : parts.prepare(given as Given | undefined, name);
  const make = (prepared: unknown): ((handler: AnyHandler) => AnyHandler) => {
    const options = prepared as Options;
    const requirements = parts.requires?.(options, name) ?? [];
    return (handler) => {
      const wrapped = guarded(name, parts, running(name, parts, options, handler));
      return madeHandler(nameAround(name, handler), wrapped, [...requirements, ...requirementsOf(handler)]);
    };
  };
  return configurable(name, prepare, make) as Shape;
}

function running<Given extends object, Options>(
  name: string,
  parts: BuiltInParts<Given, Options>,
  options: Options,
  handler: AnyHandler,
): AnyHandler {
  return function (this: unknown, message: object, ...rest: unknown[]): unknown {
    const pending = parts.before?.(channelMessage(name, message), options, name);
    if (pending === undefined) return rest.length === 0 ? handler.call(this, message) : handler.call(this, message, ...rest);
    return pending.then(() => handler.call(this, message, ...rest));
  };
}

function guarded<Given extends object, Options>(name: string, parts: BuiltInParts<Given, Options>, run: AnyHandler): AnyHandler {
  const { failed } = parts;
  if (failed === undefined) return run;
  return function (this: unknown, message: object, ...rest: unknown[]): unknown {
    const known = channelMessage(name, message);
    try {
      const result = run.call(this, message, ...rest);
      return isThenable(result) ? promiseOf(result).then(undefined, (error: unknown) => failed(error, known)) : result;
    } catch (error) {
      return failed(error, known);
    }
  };
}
