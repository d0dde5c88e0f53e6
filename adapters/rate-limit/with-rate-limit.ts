import type { ChannelMessage } from '../../src/channel/channel-message.js';
import { defineBuiltIn } from '../../src/channel/define-built-in.js';
import { tellClient } from '../../src/channel/tell-client.js';
import { checkOption } from '../../src/checked-options.js';
import { ClientError, RateLimitError } from '../../src/errors.js';
import { isThenable } from '../../src/maybe-promise.js';
import { isThrown } from '../../src/thrown.js';
import { hasPassed, makeMark, setPassed } from '../../src/wrapping/passed-marks.js';
import type { None, Wrapper } from '../../src/wrapping/wrapper.js';
import { consume, type Limited } from './consume.js';
import { limitKey } from './limit-key.js';
import { aKey, checkedRateLimit, type RateLimitOptions, type RateLimitSettings, somePoints } from './options.js';

/**
 * `Needs`, of which the compiler infers nothing here: above a decorated method it would take what that asks for, and not what the options
 * do. `NoInfer` would stand in the wrapper's type for good.
 */
type AsAsked<Needs extends object> = [Needs][Needs extends unknown ? 0 : never];

/** The type of {@link withRateLimit}. What its functions `by` and `points` ask of a message, the handler's message must have. */
export type WithRateLimit = <Needs extends object = None>(
  options: RateLimitOptions<Needs>,
  notADecorator?: undefined,
) => Wrapper<None, AsAsked<Needs>>;

/** The client is told, and its channel stays open. Apart from a `ClientError` of the handler's own, which is left to `withClientErrors`. */
class RateLimited extends ClientError {
  constructor({ retryAfterMs }: Limited) {
    super('rate_limited', retryAfterMs === undefined ? {} : { retryAfterMs });
  }
}

interface Prepared extends RateLimitSettings {
  /** Marks messages that have paid: one that meets the same wrapper twice pays once. */
  readonly mark: number;
}

function keyOf(message: ChannelMessage, { name, by }: RateLimitSettings): string | undefined {
  if (typeof by !== 'function') return limitKey(name, message, by);
  const key = by(message);
  checkOption(name, 'what by returns', key, aKey);
  return key as string | undefined;
}

function pointsOf(message: ChannelMessage, { name, points }: RateLimitSettings): number {
  if (typeof points !== 'function') return points;
  const asked = points(message);
  checkOption(name, 'what points returns', asked, somePoints);
  return asked as number;
}

function settle(message: ChannelMessage, { name, closes, mark }: Prepared, limited: Limited | undefined): void {
  if (limited === undefined) {
    setPassed(message, mark);
    return;
  }
  // a connect handler that was left out would let in whom it would have refused
  if (!closes && message.kind === 'receive') throw new RateLimited(limited);
  const error = new RateLimitError(`${name}: a client sends or connects more often than its limiter lets it.`, limited.retryAfterMs);
  message.channel.runtime.reporter.warn(error);
  throw error;
}

function limit(message: ChannelMessage, prepared: Prepared): void | Promise<void> {
  if (message.kind === 'disconnect' || hasPassed(message, prepared.mark)) return undefined;
  const points = pointsOf(message, prepared);
  const key = points === 0 ? undefined : keyOf(message, prepared);
  if (key === undefined) {
    setPassed(message, prepared.mark);
    return undefined;
  }
  const limited = consume(message, prepared, key, points);
  if (!isThenable(limited)) return settle(message, prepared, limited);
  return limited.then((settled) => settle(message, prepared, settled));
}

/**
 * Lets a handler run no more often than a limiter of `rate-limiter-flexible` allows, per channel, user or address. A received message over
 * the bound is not handled: the client gets `{ "error": "rate_limited", "retryAfterMs" }` and the channel stays open, or with
 * `onLimit: 'close'` it is closed with 1008. At connect the handshake is refused with 429 or 1008. Disconnect is never limited.
 *
 * If the limiter fails, or takes longer than `connectTimeoutMs`, the channel ends with 503 or 1013 (`ERR_LOOKUP_FAILED`,
 * `ERR_LOOKUP_TIMEOUT`). With the limiter's option `insuranceLimiter` it goes on without its store.
 *
 * @throws {TypeError} when there is no limiter, or an option is not what it must be.
 */
export const withRateLimit: WithRateLimit = defineBuiltIn('withRateLimit', {
  prepare: (given: RateLimitOptions | undefined, name): Prepared => ({ ...checkedRateLimit(name, given), mark: makeMark() }),
  before: limit,
  failed: (error, message) => {
    if (!isThrown(error, RateLimited)) throw error;
    return tellClient(error, message);
  },
});
