import { aFunction, anInteger, checkedOptions, having, oneOf, type Rule, type Rules } from '../../src/checked-options.js';
import type { BaseMessage } from '../../src/messages.js';
import type { None } from '../../src/wrapping/wrapper.js';

/**
 * Counts points: a limiter of `rate-limiter-flexible` with any store, also a union or a bursty one, or anything with the same `consume`.
 */
export interface RateLimiter {
  /**
   * Takes `points` from what `key` has left. If there are not enough, it rejects or throws an object whose `msBeforeNext` is the
   * milliseconds to wait (a union: an object of such objects). If it cannot tell, it rejects or throws anything else. A limiter that
   * returns no promise costs none.
   */
  consume(key: string, points: number): unknown;
}

/** Who is limited, unless a function gives the key. */
export type RateLimitBy = 'channel' | 'user' | 'address';

/** Options of `withRateLimit`. `Needs` is what its functions ask of a message. */
export interface RateLimitOptions<Needs extends object = None> {
  /** Counts the points. */
  readonly limiter: RateLimiter;
  /**
   * Who shares a bound. `'channel'`: one connection, so a client that connects anew begins anew. `'user'`: all channels of a user; the
   * anonymous are limited by address. `'address'`: all clients of an IP address, as `clientAddress` or `trustProxy` of the server tell it;
   * without an address, the channel. The limiter's keys are `channel:<id>`, `user:<id>` and `address:<address>`. A function gives the key
   * itself, or `undefined` for a message that is not limited.
   *
   * @default 'channel'
   */
  readonly by?: RateLimitBy | ((message: BaseMessage & Needs) => string | undefined) | undefined;
  /** How many points a message costs, an integer from 0; at 0 the limiter is not asked. @default 1 */
  readonly points?: number | ((message: BaseMessage & Needs) => number) | undefined;
  /**
   * What happens to a received message over the bound. `'tell'`: the client gets `{ "error": "rate_limited", "retryAfterMs" }` and the
   * channel stays open. `'close'`: the channel is closed. At connect, both refuse.
   *
   * @default 'tell'
   */
  readonly onLimit?: 'tell' | 'close' | undefined;
}

/** What a made wrapper goes by. */
export interface RateLimitSettings {
  /** What the wrapper is called, for errors. */
  readonly name: string;
  readonly limiter: RateLimiter;
  readonly by: RateLimitBy | ((message: BaseMessage) => unknown);
  readonly points: number | ((message: BaseMessage) => unknown);
  readonly closes: boolean;
}

/** How many points a message costs. */
export const somePoints: Rule = anInteger(0);
const whom = oneOf(['channel', 'user', 'address']);

function orFunction(rule: Rule): Rule {
  return { must: `${rule.must}, or a function`, accepts: (value) => rule.accepts(value) || aFunction.accepts(value) };
}

const rules: Rules<RateLimitOptions> = {
  limiter: having('a limiter of rate-limiter-flexible', 'consume'),
  by: orFunction(whom),
  points: orFunction(somePoints),
  onLimit: oneOf(['tell', 'close']),
};

/** A key of the limiter, as a function gives it. */
export const aKey: Rule = {
  must: 'a string that is not empty, or undefined',
  accepts: (value) => value === undefined || (typeof value === 'string' && value !== ''),
};

/** @throws {TypeError} when there is no limiter, or an option is not what it must be. */
export function checkedRateLimit(name: string, given: RateLimitOptions | undefined): RateLimitSettings {
  const { limiter, by = 'channel', points = 1, onLimit = 'tell' } = checkedOptions(name, given, rules, 'limiter');
  return { name, limiter, by, points, closes: onLimit === 'close' };
}
