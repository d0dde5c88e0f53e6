import { describe, expect, it, vi } from 'vitest';
import { TestClock } from '../../../entries/testing.js';
import { LastingSubscription, type SubscriptionAttempt } from '../../../src/feeds/lasting-subscription.js';
import { deferred } from '../../support/deferred.js';

/** A subscription that takes a second at most, what it is told, and the attempts that were made. */
function subscribing(subscribe: (attempt: SubscriptionAttempt) => PromiseLike<AsyncDisposable> | AsyncDisposable, isLate = false) {
  const clock = new TestClock();
  const told: unknown[][] = [];
  const attempts: SubscriptionAttempt[] = [];
  const owner = {
    timeLimit: { clock, ms: 1_000 },
    subscribe(attempt: SubscriptionAttempt) {
      attempts.push(attempt);
      return subscribe(attempt);
    },
    began: (...args: unknown[]) => void told.push(['began', ...args]),
    failed: (cause: unknown, retryMs: number) => void told.push(['failed', (cause as Error).message, retryMs]),
    notEnded: (cause: unknown) => void told.push(['not ended', (cause as Error).message]),
  };
  return { clock, told, attempts, subscription: new LastingSubscription(owner, isLate) };
}

function active(end: () => Promise<void> = async () => undefined) {
  const dispose = vi.fn(end);
  return { dispose, [Symbol.asyncDispose]: dispose };
}

const fail = (): never => {
  throw new Error('down');
};

describe('a subscription that lasts', () => {
  it.each([false, true])('stands once it succeeds, and says whether something may have been missed before (%s)', async (isLate) => {
    const { told, subscription, clock, attempts } = subscribing(() => active(), isLate);
    await subscription.tried;
    expect([told, clock.pendingTimers, attempts[0]?.isGivenUp]).toEqual([[['began', isLate]], 0, false]);
    await subscription.stop();
  });

  it('is tried again half as often each time, once a minute at last, until it stands, and is late by then', async () => {
    let isDown = true;
    const { told, subscription, clock } = subscribing(() => (isDown ? fail() : active()));
    await subscription.tried;
    await clock.advance(200_000);
    expect(told.map(([what, , retryMs]) => [what, retryMs])).toEqual(
      [1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => ['failed', 1_000 * seconds]),
    );
    isDown = false;
    await clock.advance(60_000);
    expect([told.slice(9), clock.pendingTimers]).toEqual([[['began', true]], 0]);
    await subscription.stop();
  });

  it('gives an attempt up that takes too long, and ends what comes of it after all', async () => {
    const [late, soon] = [active(), active()];
    const answer = deferred<AsyncDisposable>();
    let count = 0;
    const { told, subscription, clock, attempts } = subscribing(() => {
      count += 1;
      return count === 1 ? answer.promise : soon;
    });
    await clock.advance(1_000);
    await subscription.tried;
    expect([told.map(([what]) => what), attempts[0]?.isGivenUp]).toEqual([['failed'], true]);
    await clock.advance(1_000);
    expect([told.slice(1), attempts[1]?.isGivenUp]).toEqual([[['began', true]], false]);
    answer.resolve(late);
    await clock.advance(0);
    expect([late.dispose.mock.calls.length, soon.dispose.mock.calls.length, told.length]).toEqual([1, 0, 2]);
    await subscription.stop();
    expect(soon.dispose).toHaveBeenCalledTimes(1);
  });
});

describe('a subscription that is stopped', () => {
  it('is ended once, and its attempt is given up', async () => {
    const one = active();
    const { told, subscription, attempts } = subscribing(() => one);
    await subscription.tried;
    await subscription.stop();
    await subscription.stop();
    expect([one.dispose.mock.calls.length, attempts[0]?.isGivenUp, told]).toEqual([1, true, [['began', false]]]);
  });

  it('is not tried again', async () => {
    const { told, subscription, clock } = subscribing(fail);
    await subscription.tried;
    await subscription.stop();
    await clock.advance(3_600_000);
    expect([told.length, clock.pendingTimers]).toEqual([1, 0]);
  });

  it.each(['stands', 'fails'])('while it is tried tells nobody how that went (it %s)', async (how) => {
    const one = active();
    const answer = deferred<AsyncDisposable>();
    const { told, subscription, clock } = subscribing(() => answer.promise);
    await subscription.stop();
    if (how === 'stands') answer.resolve(one);
    else answer.reject(new Error('down'));
    await subscription.tried;
    expect([told, one.dispose.mock.calls.length, clock.pendingTimers]).toEqual([[], how === 'stands' ? 1 : 0, 0]);
  });

  it.each([
    ['fails', () => Promise.reject(new Error('no'))],
    ['never ends', () => new Promise<void>(() => undefined)],
  ])('says so where its end %s', async (_how, end) => {
    const { told, subscription, clock } = subscribing(() => active(end));
    await subscription.tried;
    const stopped = subscription.stop();
    await clock.advance(1_000);
    await stopped;
    expect(told.map(([what]) => what)).toEqual(['began', 'not ended']);
  });
});
