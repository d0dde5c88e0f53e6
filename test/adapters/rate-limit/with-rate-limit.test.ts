import { describe, expect, it, vi } from 'vitest';
import {
  ClientError,
  type ConnectMessage,
  compose,
  dispatchOn,
  type ReceiveMessage,
  withChannelSession,
  withClientErrors,
  withUserFromToken,
} from '../../../entries/index.js';
import { type RateLimitOptions, withRateLimit } from '../../../entries/rate-limit.js';
import { connectTo } from '../../../entries/testing.js';
import { deferred } from '../../support/deferred.js';
import { codesOf, expectProcessToLive, makeSite, thrownBy } from '../../support/site.js';
import { FakeLimiter, ofLibrary, over, twoAMinute } from './limiters.js';

expectProcessToLive();

describe.each(ofLibrary)('withRateLimit on a %s', (_name, make) => {
  it('tells the client of a message over the bound, does not handle it, and leaves the channel open', async () => {
    const handler = vi.fn((message: ReceiveMessage) => message.channel.sendJson({ got: message.text }));
    const client = await connectTo({ receive: withRateLimit({ limiter: make() })(handler) });
    for (const text of ['a', 'b', 'c']) await client.send(text);
    expect(client.sentJson).toEqual([{ got: 'a' }, { got: 'b' }, { error: 'rate_limited', retryAfterMs: expect.any(Number) }]);
    const { retryAfterMs } = client.sentJson[2] as { retryAfterMs: number };
    expect(Number.isInteger(retryAfterMs)).toBe(true);
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
    expect(handler).toHaveBeenCalledTimes(2);
    expect(client.closed).toBeUndefined();
  });
});

describe('a message over the bound', () => {
  const limiter = new FakeLimiter(() => Promise.reject(over(1_500)));

  it('closes the channel with 1008 where onLimit is close, drops what waits behind it, and is a warning and no error', async () => {
    const { options, errors, warnings } = makeSite();
    const handler = vi.fn();
    const client = await connectTo({ receive: withRateLimit({ limiter, onLimit: 'close' })(handler) }, options);
    await Promise.all([client.send('a'), client.send('b')]);
    expect(client.closed).toEqual({ code: 1008, reason: 'rate limited' });
    expect(handler).not.toHaveBeenCalled();
    expect(errors).toEqual([]);
    expect(codesOf(warnings)).toEqual(['ERR_RATE_LIMITED']);
  });

  it('leaves the session as it was, whatever outer wrappers changed', async () => {
    const changing = (handler: (message: ReceiveMessage) => unknown) => (message: ReceiveMessage) => {
      (message as unknown as { channelSession: { set(key: string, value: number): void } }).channelSession.set('n', 1);
      return handler(message);
    };
    const receive = withChannelSession(changing(withRateLimit({ limiter })(() => {})));
    const client = await connectTo({ receive });
    await client.send('a');
    expect(client.sentJson).toEqual([{ error: 'rate_limited', retryAfterMs: 1_500 }]);
    expect((client.channelSession as unknown as { has(key: string): boolean }).has('n')).toBe(false);
  });

  it.each([
    ['never', over(-1), {}],
    ['to a banned key', over(Number.MAX_SAFE_INTEGER), {}],
    ['after a part of a millisecond', over(0.5), { retryAfterMs: 1 }],
    ['by both of a union', { a: over(10), b: over(700) }, { retryAfterMs: 700 }],
    ['by one of a union whose other limiter fails', { a: over(10), b: new Error('down') }, { retryAfterMs: 10 }],
  ])('tells when points come back: %s', async (_when, rejection, told) => {
    const client = await connectTo({ receive: withRateLimit({ limiter: new FakeLimiter(() => Promise.reject(rejection)) })(() => {}) });
    await client.send('a');
    expect(client.sentJson).toEqual([{ error: 'rate_limited', ...told }]);
  });

  it('is limited without a promise where the limiter gives none', async () => {
    const results: unknown[] = [];
    let left = 1;
    const spending = new FakeLimiter(() => {
      left -= 1;
      if (left < 0) throw over(5);
    });
    const wrapped = withRateLimit({ limiter: spending })(() => 'handled');
    const client = await connectTo({ receive: (message) => void results.push(wrapped(message)) });
    await client.send('a');
    await client.send('b');
    expect(results).toEqual(['handled', undefined]);
    expect(client.sentJson).toEqual([{ error: 'rate_limited', retryAfterMs: 5 }]);
  });

  it('does not make the errors of its handler known to the client: that is for withClientErrors', async () => {
    const failing = (): never => {
      throw new ClientError('mine');
    };
    const free = new FakeLimiter();
    const bare = await connectTo({ receive: withRateLimit({ limiter: free })(failing) }, { onError: () => {} });
    await bare.send('a');
    expect([bare.sent, bare.closed?.code]).toEqual([[], 1011]);
    const told = await connectTo({ receive: withClientErrors(withRateLimit({ limiter: free })(failing)) });
    await told.send('a');
    expect([told.sentJson, told.closed]).toEqual([[{ error: 'mine' }], undefined]);
  });
});

describe('connect over the bound', () => {
  it.each(['tell', 'close'] as const)('is refused with 429, its handler not called (onLimit: %s)', async (onLimit) => {
    const { options, errors, warnings } = makeSite();
    const connect = vi.fn();
    const limiter = new FakeLimiter(() => Promise.reject(over(1_000)));
    const client = await connectTo({ connect: withRateLimit({ limiter, onLimit, by: 'address' })(connect) }, options);
    expect(client.refusal).toEqual({ status: 429 });
    expect(connect).not.toHaveBeenCalled();
    expect(errors).toEqual([]);
    expect(codesOf(warnings)).toEqual(['ERR_RATE_LIMITED']);
  });

  it('is as the outcomes of the server say', async () => {
    const limiter = new FakeLimiter(() => Promise.reject(over(1_000)));
    const outcomes = { ERR_RATE_LIMITED: { status: 503 } };
    const client = await connectTo({ connect: withRateLimit({ limiter })(() => {}) }, { outcomes, onWarning: () => {} });
    expect(client.refusal).toEqual({ status: 503 });
  });

  it('does not reach the disconnect handler, which is never limited itself', async () => {
    const limiter = new FakeLimiter();
    const disconnect = vi.fn();
    const client = await connectTo({ disconnect: withRateLimit({ limiter })(disconnect) });
    await client.disconnect();
    expect(disconnect).toHaveBeenCalledTimes(1);
    expect(limiter.asked).toEqual([]);
  });
});

describe('a limiter that cannot tell', () => {
  const unable: [string, () => unknown][] = [
    ['rejects with an error', () => Promise.reject(new Error('store down'))],
    ['rejects with nothing', () => Promise.reject()],
    ['rejects with an object of errors', () => Promise.reject({ a: new Error('down') })],
    ['rejects with a promise that rejects', () => Promise.reject(Promise.reject(new Error('down')))],
    [
      'throws',
      () => {
        throw new Error('not connected');
      },
    ],
  ];

  it.each(unable)('ends the channel with 1013 where it %s, and its handler is not called', async (_how, answer) => {
    const { options, errors } = makeSite();
    const handler = vi.fn();
    const client = await connectTo({ receive: withRateLimit({ limiter: new FakeLimiter(answer) })(handler) }, options);
    await client.send('a');
    expect(client.closed).toEqual({ code: 1013, reason: 'try again later' });
    expect(codesOf(errors)).toEqual(['ERR_LOOKUP_FAILED']);
    expect(handler).not.toHaveBeenCalled();
  });

  it.each(unable)('refuses a handshake with 503 where it %s', async (_how, answer) => {
    const { options, errors } = makeSite();
    const client = await connectTo({ connect: withRateLimit({ limiter: new FakeLimiter(answer) })(() => {}) }, options);
    expect(client.refusal).toEqual({ status: 503 });
    expect(codesOf(errors)).toEqual(['ERR_LOOKUP_FAILED']);
  });

  it('is waited for no longer than connectTimeoutMs, and whatever it says then counts no more', async () => {
    const { options, errors, clock } = makeSite();
    const handler = vi.fn();
    let answer = (): void => {};
    const limiter = new FakeLimiter(() => new Promise<void>((resolve) => (answer = resolve)));
    const client = await connectTo({ receive: withRateLimit({ limiter })(handler) }, { ...options, connectTimeoutMs: 300 });
    const sent = client.send('a');
    await clock.advance(299);
    expect(client.closed).toBeUndefined();
    await clock.advance(1);
    expect(client.closed?.code).toBe(1013);
    expect(codesOf(errors)).toEqual(['ERR_LOOKUP_TIMEOUT']);
    answer();
    await sent;
    expect(handler).not.toHaveBeenCalled();
    expect(clock.pendingTimers).toBe(0);
  });

  it('counts as a look-up where connect waits for it', async () => {
    const { options, errors, clock } = makeSite();
    const limiter = new FakeLimiter(() => new Promise(() => {}));
    const begun = deferred();
    const limited = withRateLimit({ limiter })(() => {});
    const connect = async (message: ConnectMessage): Promise<unknown> => {
      await begun.promise;
      return limited(message);
    };
    const connecting = connectTo({ connect }, { ...options, connectTimeoutMs: 300 });
    await clock.advance(100);
    begun.resolve();
    await clock.advance(200);
    expect((await connecting).refusal).toEqual({ status: 503 });
    expect(codesOf(errors)).toEqual(['ERR_LOOKUP_TIMEOUT']);
  });
});

describe('the same withRateLimit', () => {
  it('takes a message its points once, however often it stands there; another one takes its own', async () => {
    const limiter = new FakeLimiter();
    const wrapper = withRateLimit({ limiter });
    const handler = vi.fn();
    const receive = compose(wrapper, wrapper, withRateLimit({ limiter, points: 5 }))(wrapper(handler));
    const client = await connectTo({ receive });
    await client.send('a');
    await client.send('b');
    expect(limiter.asked.map(([, points]) => points)).toEqual([1, 5, 1, 5]);
    expect(handler).toHaveBeenCalledTimes(2);
  });

  it('shares its bound among the parts of dispatchOn', async () => {
    const limited = withRateLimit({ limiter: twoAMinute() });
    const say = vi.fn();
    const client = await connectTo({ receive: dispatchOn('do', { say: limited(say), shout: limited(say), leave: say }) });
    for (const command of ['say', 'shout', 'say', 'shout', 'leave']) await client.sendJson({ do: command });
    expect(say).toHaveBeenCalledTimes(3);
    expect(client.sentJson).toMatchObject([{ error: 'rate_limited' }, { error: 'rate_limited' }]);
  });
});

describe('options', () => {
  const limiter = new FakeLimiter();

  it.each<[string, unknown]>([
    ['no limiter', {}],
    ['a limiter without consume', { limiter: {} }],
    ['a by that is none', { limiter, by: 'ip' }],
    ['points below 0', { limiter, points: -1 }],
    ['points that are no integer', { limiter, points: 0.5 }],
    ['an onLimit that is none', { limiter, onLimit: 'drop' }],
    ['an option that there is not', { limiter, key: 'x' }],
  ])('are refused when the wrapper is made: %s', (_what, options) => {
    expect(thrownBy(() => withRateLimit(options as RateLimitOptions))).toBeInstanceOf(TypeError);
  });

  it('must be given', () => {
    expect(thrownBy(() => (withRateLimit as unknown as (handler: () => void) => unknown)(() => {}))).toBeInstanceOf(TypeError);
    expect(thrownBy(() => (withRateLimit as unknown as () => unknown)())).toBeInstanceOf(TypeError);
  });

  it('are copied', async () => {
    const options = { limiter, points: 3 };
    const wrapper = withRateLimit(options);
    options.points = 9;
    limiter.asked.length = 0;
    const client = await connectTo({ receive: wrapper(withUserFromToken({ tokens: makeSite().tokens })(() => {})) });
    await client.send('a');
    expect(limiter.asked.map(([, points]) => points)).toEqual([3]);
  });
});
