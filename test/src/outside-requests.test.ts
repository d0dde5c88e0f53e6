import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { ChannelServer, type Clock, withChannelSession, withUserFromToken } from '../../entries/index.js';
import { MemoryRevocationFeed, MemorySessionStore } from '../../entries/memory.js';
import { connectTo, TestClock } from '../../entries/testing.js';
import { LastingSubscription } from '../../src/feeds/lasting-subscription.js';
import { systemClock } from '../../src/time/system-clock.js';
import { aliceKey, makeSite } from '../support/site.js';

/** Whose request it is, as an application or an instrument of tracing keeps it. */
const request = new AsyncLocalStorage<string>();

/** `clock`, with timers that are part of whatever set them, as those of Node are. */
function asNode(clock: TestClock): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimer: (fn, ms) => clock.setTimer(AsyncResource.bind(fn), ms),
  };
}

describe('what goes on beside requests', () => {
  it('is part of none: the look-ups of a sweep, touches of sessions, pings and subscriptions', async () => {
    const { clock, tokens, options } = makeSite();
    const seen = new Map<string, unknown>();
    const see = (what: string): void => void seen.set(what, request.getStore() ?? 'no request');
    const store = new MemorySessionStore({ clock });
    const feed = new MemoryRevocationFeed();
    const repository = {
      findById: (...given: Parameters<typeof tokens.findById>) => {
        see('look-up');
        return tokens.findById(...given);
      },
      findByIds: (...given: Parameters<typeof tokens.findByIds>) => {
        see('sweep');
        return tokens.findByIds(...given);
      },
    };
    const subscribe = feed.subscribe.bind(feed);
    feed.subscribe = (...given) => {
      see('subscription');
      return subscribe(...given);
    };
    const touchMany = store.touchMany.bind(store);
    store.touchMany = (...given) => {
      see('touch');
      return touchMany(...given);
    };
    const channels = new ChannelServer(
      {
        connect: withUserFromToken({ tokens: repository })(() => see('connect')),
        receive: withChannelSession({ store, ttlMs: 3_000 })(({ channelSession }) => channelSession.set('n', 1)),
      },
      { ...options, clock: asNode(clock), revocations: feed },
    );
    const client = await request.run('of alice', () => connectTo(channels, { cookies: { key: aliceKey } }));
    await request.run('of alice', () => client.send('hello'));
    await clock.advance(60_000);
    await channels.close();
    expect(Object.fromEntries(seen)).toEqual({
      subscription: 'no request',
      'look-up': 'of alice',
      connect: 'of alice',
      touch: 'no request',
      sweep: 'no request',
    });
  });

  it('is part of none with timers of the machine', async () => {
    const seen = await new Promise((resolve) => {
      request.run('of alice', () => systemClock.setTimer(() => resolve(request.getStore()), 0));
    });
    expect(seen).toBe(undefined);
  });

  it('is part of none where a subscription is tried again', async () => {
    const clock = new TestClock();
    const seen: unknown[] = [];
    const owner = {
      timeLimit: { clock, ms: 1_000 },
      subscribe() {
        seen.push(request.getStore());
        throw new Error('down');
      },
      began: () => undefined,
      failed: () => undefined,
      notEnded: () => undefined,
    };
    const subscription = request.run('of alice', () => new LastingSubscription(owner, false));
    await subscription.tried;
    await clock.advance(1_000);
    await subscription.stop();
    expect(seen).toEqual([undefined, undefined]);
  });
});
