import { aString, checkOption } from '../checked-options.js';
import { ignore, isThenable } from '../maybe-promise.js';
import { configurable, type Make } from './call-shapes.js';
import { HandlerRun } from './handler-run.js';
import { checkedHandler, madeHandler, markFactories, nameAround } from './made-function.js';
import { checkStillWanted, hasPassed, makeMark, setPassed } from './passed-marks.js';
import { requirementsOf } from './requirements.js';
import type { Around, Configurable, Configured, None, NoOptions, PassedOn, ReturnOfNext } from './wrapper.js';

type AnyAround = (message: object, next: (added?: object) => unknown, options: unknown) => unknown;

/** What `prepare` makes of the options. What it says of options that are missing is told with how to give them. */
function prepared(name: string, prepare: (given?: object) => unknown, given: object | undefined): unknown {
  let options: unknown;
  try {
    options = prepare(given);
  } catch (error) {
    if (given !== undefined || !(error instanceof TypeError)) throw error;
    throw new TypeError(`${name} needs options: write ${name}({ … })(handler). Without them: ${error.message}`, { cause: error });
  }
  if (!isThenable(options)) return options;
  ignore(options); // nobody else would hear of its rejection
  throw new TypeError(`${name}: what checks its options must return them at once, got a promise`);
}

/** @throws {TypeError} when the message cannot take one of them: what it has of itself cannot be replaced. */
function add(name: string, added: object, message: object): void {
  try {
    Object.assign(message, added);
  } catch (error) {
    const member = Object.keys(added).find((key) => isFixed(message, key));
    if (member === undefined) throw error;
    throw new TypeError(`${name}: next cannot replace message.${member}: give what it adds another name`, { cause: error });
  }
}

/** Whether `message` has a member `key` that nobody can write. */
function isFixed(message: object, key: string): boolean {
  for (let holder: object | null = message; holder !== null; holder = Object.getPrototypeOf(holder)) {
    const descriptor = Object.getOwnPropertyDescriptor(holder, key);
    if (descriptor !== undefined) return descriptor.set === undefined && descriptor.writable !== true;
  }
  return false;
}

/** @param takesOptions without them, `withX` and `withX()` are one wrapper, which works once per message however it is written. */
function makeAround(name: string, around: AnyAround, takesOptions: boolean): Make {
  let known: number | undefined;
  return (options) => {
    const id = known ?? makeMark();
    if (!takesOptions) known = id;
    return (handler) => {
      const wrapped = function (this: unknown, message: object, ...rest: unknown[]): unknown {
        if (hasPassed(message, id)) return handler.call(this, message, ...rest);
        const run = new HandlerRun();
        const next = (added?: object): unknown => {
          if (run.isLate) checkStillWanted(message);
          setPassed(message, id); // here and not before: a guard that refused must guard again if an outer wrapper retries
          if (added !== undefined) add(name, added, message);
          return run.gave(handler.call(this, message, ...rest));
        };
        let result: unknown;
        try {
          result = around(message, next, options);
        } catch (error) {
          run.threw();
          throw error;
        }
        return run.returned(result);
      };
      return madeHandler(nameAround(name, handler), wrapped, [], requirementsOf(handler));
    };
  };
}

/**
 * Makes a wrapper of your own. `around` gets the message and `next`. It may wait, add members to the message by `next({ … })`, and throw to
 * refuse. It must return what `next` returned. The wrapper stays synchronous if `around` does.
 *
 * (The wrappers of this package that need something of the server are made with `defineBuiltIn` of `src/channel/`.)
 *
 * What it adds is inferred from the argument of `next`, what it needs from the annotation of `message`. Applied twice, it works once per
 * message.
 *
 * @throws {TypeError} when `name` is no string, or `around` or `prepare` no function.
 */
export function defineWrapper<Result extends ReturnOfNext, Needs extends object = None>(
  name: string,
  around: Around<Needs, Result>,
): Configurable<NoOptions, PassedOn<Result>, Needs>;
/** The same with options: `prepare` checks and copies them when the wrapper is made. */
export function defineWrapper<Given extends object, Options, Result extends ReturnOfNext, Needs extends object = None>(
  name: string,
  prepare: (given?: Given) => Options,
  around: Around<Needs, Result, Options>,
): Configurable<Given, PassedOn<Result>, Needs>;
/**
 * The same with options that must be given: `prepare` needs its argument.
 *
 * @throws {TypeError} (the wrapper, not `defineWrapper`) when it is used without the options that `prepare` needs.
 */
export function defineWrapper<Given extends object, Options, Result extends ReturnOfNext, Needs extends object = None>(
  name: string,
  prepare: (given: Given) => Options,
  around: Around<Needs, Result, Options>,
): Configured<Given, PassedOn<Result>, Needs>;
export function defineWrapper(name: string, first: unknown, second?: unknown): unknown {
  checkOption('defineWrapper', 'name', name, aString);
  for (const part of second === undefined ? [first] : [first, second]) checkedHandler(`defineWrapper: what ${name} is made of`, part);
  const around = (second ?? first) as AnyAround;
  const prepare = (second === undefined ? () => undefined : first) as (given?: object) => unknown;
  return configurable(name, (given) => prepared(name, prepare, given), makeAround(name, around, second !== undefined));
}

markFactories(defineWrapper);
