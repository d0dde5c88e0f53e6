import type { ChannelMessage } from '../../src/channel/channel-message.js';
import { connectingOf } from '../../src/channel/define-built-in.js';
import { ChannelError, codeOf } from '../../src/errors.js';
import { ignorePromise, isThenable, promiseOf } from '../../src/maybe-promise.js';
import { isThrown, memberOf } from '../../src/thrown.js';
import { withDeadline } from '../../src/time/deadline.js';
import type { RateLimitSettings } from './options.js';

/** There were not enough points. */
export interface Limited {
  /** How long until there are some; `undefined` where that is never, or not known. */
  readonly retryAfterMs: number | undefined;
}

/**
 * Takes `points` of `key` from the limiter: {@link Limited} where it has not as many. A promise only where the limiter gives one.
 *
 * @throws {ChannelError} `ERR_LOOKUP_FAILED` or `ERR_LOOKUP_TIMEOUT` where it cannot tell, or not in time.
 */
export function consume(
  message: ChannelMessage,
  { name, limiter }: RateLimitSettings,
  key: string,
  points: number,
): Limited | undefined | Promise<Limited | undefined> {
  let result: unknown;
  try {
    result = limiter.consume(key, points);
    if (!isThenable(result)) return undefined;
  } catch (error) {
    return limitedOr(name, error);
  }
  return inTime(name, message, promiseOf(result)).then(
    () => undefined,
    (error: unknown) => limitedOr(name, error),
  );
}

/** At connect the deadline of connect counts, which takes it for a look-up; later it has one of its own. */
function inTime(name: string, message: ChannelMessage, pending: Promise<unknown>): Promise<unknown> {
  const connecting = connectingOf(message);
  if (connecting !== undefined) return connecting.waitFor('lookUps', pending);
  const { timeLimit } = message.channel.runtime;
  const onTimeout = (): Error => new ChannelError('ERR_LOOKUP_TIMEOUT', `${name}: the limiter took longer than ${timeLimit.ms} ms.`);
  return withDeadline(() => pending, { ...timeLimit, onTimeout });
}

function limitedOr(name: string, error: unknown): Limited {
  const waits = waitsIn(error);
  if (waits.length > 0) return { retryAfterMs: longest(waits) };
  const code = codeOf(error);
  if (code === 'ERR_LOOKUP_TIMEOUT' || code === 'ERR_CHANNEL_CLOSED') throw error;
  ignorePromise(error);
  throw new ChannelError('ERR_LOOKUP_FAILED', `${name}: the limiter failed, so it cannot be told who is over the bound.`, {
    cause: error,
  });
}

/** Every `msBeforeNext` in what a limiter rejected with; none where it is an error of its store. */
function waitsIn(rejected: unknown): number[] {
  if (typeof rejected !== 'object' || rejected === null || isThrown(rejected, Error)) return [];
  const own = memberOf(rejected, 'msBeforeNext');
  if (typeof own === 'number') return [own];
  // a union rejects with an object of what each of its limiters rejected with
  return Object.keys(rejected).flatMap((limiter) => {
    const part = memberOf(rejected, limiter);
    const wait = typeof part === 'object' && part !== null && !isThrown(part, Error) ? memberOf(part, 'msBeforeNext') : undefined;
    return typeof wait === 'number' ? [wait] : [];
  });
}

/** −1 is the library's word for never, and so is the largest of all numbers, which its list of the banned gives. */
function longest(waits: readonly number[]): number | undefined {
  const isKnown = waits.every((wait) => wait >= 0 && wait < Number.MAX_SAFE_INTEGER);
  return isKnown ? Math.ceil(Math.max(...waits)) : undefined;
}
