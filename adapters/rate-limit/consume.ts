import type { ChannelMessage } from '../../src/channel/channel-message.js';
import { connectingOf } from '../../src/channel/define-built-in.js';
import { withDeadline } from '../../src/deadline.js';
import { ChannelError, codeOf } from '../../src/errors.js';
import { ignorePromise, isThenable, promiseOf } from '../../src/maybe-promise.js';
import { isThrown, memberOf } from '../../src/thrown.js';
import type { RateLimiter } from './options.js';

/** There were not enough points. */
export interface Limited {
  /** How long until there are some; `undefined` where that is never, or not known. */
  readonly retryAfterMs: number | undefined;
}

/**
 * Takes `points` of `key` from `limiter`: {@link Limited} where it has not as many. A promise only where the limiter gives one.
 *
 * @throws {ChannelError} `ERR_LOOKUP_FAILED` or `ERR_LOOKUP_TIMEOUT` where it cannot tell, or not in time.
 */
export function consume(
  owner: string,
  limiter: RateLimiter,
  message: ChannelMessage,
  key: string,
  points: number,
): Limited | undefined | Promise<Limited | undefined> {
  let result: unknown;
  try {
    result = limiter.consume(key, points);
    if (!isThenable(result)) return undefined;
  } catch (error) {
    return limitedOr(owner, error);
  }
  return inTime(owner, message, promiseOf(result)).then(
    () => undefined,
    (error: unknown) => limitedOr(owner, error),
  );
}

/** At connect the deadline of connect counts, which takes it for a look-up; later it has one of its own. */
function inTime(owner: string, message: ChannelMessage, pending: Promise<unknown>): Promise<unknown> {
  const connecting = connectingOf(message);
  if (connecting !== undefined) return connecting.waitFor('lookUps', pending);
  const { timeLimit } = message.channel.runtime;
  const onTimeout = (): Error => new ChannelError('ERR_LOOKUP_TIMEOUT', `${owner}: the limiter took longer than ${timeLimit.ms} ms.`);
  return withDeadline(() => pending, { ...timeLimit, onTimeout });
}

function limitedOr(owner: string, error: unknown): Limited {
  const waits = waitsIn(error);
  if (waits.length > 0) return { retryAfterMs: longest(waits) };
  const code = codeOf(error);
  if (code === 'ERR_LOOKUP_TIMEOUT' || code === 'ERR_CHANNEL_CLOSED') throw error;
  ignorePromise(error);
  throw new ChannelError('ERR_LOOKUP_FAILED', `${owner}: the limiter failed, so it cannot be told who is over the bound.`, {
    cause: error,
  });
}

/** Every `msBeforeNext` in what a limiter rejected with; none where it is an error of its store. */
function waitsIn(rejected: unknown): number[] {
  if (typeof rejected !== 'object' || rejected === null || isThrown(rejected, Error)) return [];
  const own = memberOf(rejected, 'msBeforeNext');
  if (typeof own === 'number') return [own];
  // a union rejects with an object of what each of its limiters rejected with
  return Object.keys(rejected).flatMap((name) => {
    const of = memberOf(rejected, name);
    const wait = typeof of === 'object' && of !== null && !isThrown(of, Error) ? memberOf(of, 'msBeforeNext') : undefined;
    return typeof wait === 'number' ? [wait] : [];
  });
}

/** −1 is the library's word for never, and so is the largest of all numbers, which its list of the banned gives. */
function longest(waits: readonly number[]): number | undefined {
  const isKnown = waits.every((wait) => wait >= 0 && wait < Number.MAX_SAFE_INTEGER);
  return isKnown ? Math.ceil(Math.max(...waits)) : undefined;
}
