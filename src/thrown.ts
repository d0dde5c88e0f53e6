import { types } from 'node:util';
import { ignorePromise } from './maybe-promise.js';

/**
 * Whether `value`, which was thrown, is an instance of `type`. Anything can be thrown, and asking a proxy may throw: it is no instance
 * then.
 */
export function isThrown<T>(value: unknown, type: abstract new (...args: never) => T): value is T {
  try {
    return value instanceof type;
  } catch {
    return false;
  }
}

/** What was thrown, as an error: anything can be thrown, `undefined` too, and an error of another realm is no instance of ours. */
export function errorOf(thrown: unknown): Error {
  if (isThrown(thrown, Error)) return thrown;
  ignorePromise(thrown);
  return new Error('What was thrown is no Error.', { cause: thrown });
}

/** The member `name` of what was thrown; `undefined` where reading it throws. */
export function memberOf(thrown: object, name: string): unknown {
  try {
    return (thrown as Readonly<Record<string, unknown>>)[name];
  } catch {
    return undefined;
  }
}

/** How many characters of one text of an error are told. */
const maxTextLength = 8_192;
/** How many causes of an error are told: a chain of them may close on itself. */
const maxCauses = 8;

function textOf(error: object, name: string): string | undefined {
  const text = memberOf(error, name);
  if (typeof text !== 'string' || text === '') return undefined;
  return text.length <= maxTextLength ? text : `${text.slice(0, maxTextLength)} … (${text.length} characters)`;
}

/**
 * What was thrown, for the log: what an error says and where, down its causes, and nothing that hangs on it as a property. Never throws,
 * and never grows beyond some thousand characters for each cause.
 */
export function describeThrown(thrown: unknown, depth = 0): string {
  if (thrown === null || typeof thrown !== 'object') {
    return thrown === null ? 'null was thrown' : `a value of type ${typeof thrown} was thrown`;
  }
  // an error of another realm is no instance of ours
  if (!types.isNativeError(thrown) && !isThrown(thrown, Error)) return 'a value of type object was thrown';
  const code = textOf(thrown, 'code');
  const text = textOf(thrown, 'stack') ?? textOf(thrown, 'message') ?? 'an error without stack and message';
  const own = `${code === undefined ? '' : `[${code}] `}${text}`;
  const cause = memberOf(thrown, 'cause');
  if (cause === undefined || cause === null || depth >= maxCauses) return own;
  return `${own}\n  caused by ${describeThrown(cause, depth + 1)}`;
}
