import { describe, expect, it, vi } from 'vitest';
import { type BaseMessage, type HasUser, type ReceiveMessage, withHttpUser, withUserFromToken } from '../../../entries/index.js';
import { withRateLimit } from '../../../entries/rate-limit.js';
import { connectTo } from '../../../entries/testing.js';
import { modes, serve } from '../../support/serving.js';
import { aliceKey, codesOf, expectProcessToLive, makeSite } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';
import { FakeLimiter, over } from './limiters.js';

expectProcessToLive();

const nothing = (): void => {};

describe("by: 'channel'", () => {
  it('is the default, and gives each channel a bound of its own', async () => {
    const limiter = new FakeLimiter();
    const handlers = { receive: withRateLimit({ limiter })(nothing) };
    const clients = [await connectTo(handlers), await connectTo(handlers)] as const;
    for (const client of clients) await client.send('a');
    expect(limiter.asked).toEqual(clients.map(({ channel }) => [`channel:${channel.id}`, 1]));
  });
});

describe("by: 'user'", () => {
  const byUser = { by: 'user' } as const;

  it('gives all channels of a user one bound, on each kind of message', async () => {
    const { tokens, options } = makeSite();
    const limiter = new FakeLimiter();
    const limited = withRateLimit({ limiter, ...byUser });
    const handlers = { connect: withUserFromToken({ tokens })(limited(nothing)), receive: limited(nothing) };
    for (let n = 0; n < 2; n += 1) await (await connectTo(handlers, { ...options, cookies: { key: aliceKey } })).send('a');
    expect(limiter.keys).toEqual(['user:alice', 'user:alice', 'user:alice', 'user:alice']);
  });

  it('is the user whom an outer wrapper gave the message, where that is another than the channel knows', async () => {
    const { sessions, users, options } = makeSite();
    const limiter = new FakeLimiter();
    const receive = withHttpUser({ sessions, users })(withRateLimit({ limiter, ...byUser })(nothing));
    const client = await connectTo({ receive }, { ...options, cookies: { sessionid: sessions.create('bob') } });
    await client.send('a');
    expect(limiter.keys).toEqual(['user:bob']);
  });

  it('limits the anonymous by their address', async () => {
    const { tokens, options } = makeSite();
    const limiter = new FakeLimiter();
    const limited = withRateLimit({ limiter, ...byUser });
    const handlers = { connect: withUserFromToken({ tokens })(limited(nothing)), receive: limited(nothing) };
    await (await connectTo(handlers, { ...options, headers: { 'x-forwarded-for': '203.0.113.9' }, trustProxy: true })).send('a');
    expect(limiter.keys).toEqual(['address:203.0.113.9', 'address:203.0.113.9']);
  });

  it('is a mistake that is named where nobody has looked for a user', async () => {
    const { tokens, options, errors } = makeSite();
    const limited = withRateLimit({ limiter: new FakeLimiter(), ...byUser });
    const outside = await connectTo({ connect: limited(withUserFromToken({ tokens })(nothing)) }, options);
    expect(outside.refusal).toEqual({ status: 500 });
    const without = await connectTo({ receive: limited(nothing) }, options);
    await without.send('a');
    expect(without.closed?.code).toBe(1011);
    expect(codesOf(errors)).toEqual(['ERR_WRAPPER_MISSING', 'ERR_WRAPPER_MISSING']);
  });
});

describe("by: 'address'", () => {
  const headers = { 'x-forwarded-for': '203.0.113.9, 198.51.100.7' };
  const byAddress = { by: 'address' } as const;

  it('is the one that a trusted proxy tells', async () => {
    const limiter = new FakeLimiter();
    const limited = withRateLimit({ limiter, ...byAddress });
    await (await connectTo({ connect: limited(nothing), receive: limited(nothing) }, { headers, trustProxy: true })).send('a');
    expect(limiter.keys).toEqual(['address:198.51.100.7', 'address:198.51.100.7']);
  });

  it('is the channel where the transport has none, whatever a proxy says that is not trusted', async () => {
    const limiter = new FakeLimiter();
    const limited = withRateLimit({ limiter, ...byAddress });
    const client = await connectTo({ connect: limited(nothing), receive: limited(nothing) }, { headers });
    await client.send('a');
    expect(limiter.keys).toEqual([`channel:${client.channel.id}`, `channel:${client.channel.id}`]);
  });

  it('is what clientAddress of the server says, which is asked once for each handshake', async () => {
    const limiter = new FakeLimiter();
    const limited = withRateLimit({ limiter, ...byAddress });
    const clientAddress = vi.fn(() => '2001:db8::/64');
    const client = await connectTo({ connect: limited(nothing), receive: limited(nothing) }, { clientAddress, maxChannelsPerAddress: 3 });
    await client.send('a');
    expect(limiter.keys).toEqual(['address:2001:db8::/64', 'address:2001:db8::/64']);
    expect(clientAddress).toHaveBeenCalledTimes(1);
  });

  it.each<[number, string]>([
    [1, '1'],
    [61_500, '62'],
    [-1, '5'],
  ])('of which %i ms are left refuses with Retry-After: %s', async (ms, header) => {
    const limiter = new FakeLimiter(() => Promise.reject(over(ms)));
    const { port } = await serve({ connect: withRateLimit({ limiter, ...byAddress })(nothing) });
    const { refused } = await WsClient.connect(port);
    expect([refused?.status, refused?.headers['retry-after']]).toEqual([429, header]);
  });

  it.each(modes)('is the one of the socket, and over its bound a handshake gets 429 with Retry-After, or 1008 (%s)', async (mode) => {
    let left = 1;
    const limiter = new FakeLimiter(() => {
      left -= 1;
      return left < 0 ? Promise.reject(over(1_000)) : Promise.resolve();
    });
    const { port } = await serve({ connect: withRateLimit({ limiter, ...byAddress })(nothing) }, { mode });
    await WsClient.connect(port);
    const second = await WsClient.connect(port);
    expect(limiter.keys).toEqual(['address:127.0.0.1', 'address:127.0.0.1']);
    if (mode === 'handleUpgrades') {
      expect(second.refused?.status).toBe(429);
      expect(Number(second.refused?.headers['retry-after'])).toBeGreaterThan(0);
    } else expect(await second.closed()).toEqual({ code: 1008, reason: 'rate limited' });
  });
});

describe('functions', () => {
  it('give the key and the points of a message, which they see as its handler does', async () => {
    const { tokens, options } = makeSite();
    const limiter = new FakeLimiter();
    const limited = withRateLimit({
      limiter,
      by: (message: BaseMessage & HasUser & ReceiveMessage) => `${message.user.id} ${message.request.url}`,
      points: (message) => Math.ceil(message.data.byteLength / 4),
    });
    const receive = withUserFromToken({ tokens })(limited(nothing));
    const client = await connectTo({ receive }, { ...options, cookies: { key: aliceKey }, url: '/room' });
    await client.send('12345');
    expect(limiter.asked).toEqual([['alice /room', 2]]);
  });

  it('let a message pass without asking, by a key that is undefined or by 0 points', async () => {
    const limiter = new FakeLimiter();
    const handler = vi.fn();
    const without = withRateLimit({ limiter, by: () => undefined });
    const free = withRateLimit({ limiter, points: () => 0 });
    const client = await connectTo({ receive: without(free(withRateLimit({ limiter, points: 0 })(handler))) });
    await client.send('a');
    expect(handler).toHaveBeenCalledTimes(1);
    expect(limiter.asked).toEqual([]);
  });

  it.each<[string, object]>([
    ['a key that is empty', { by: () => '' }],
    ['a key that is no string', { by: () => 5 }],
    ['a promise of a key', { by: () => Promise.resolve('key') }],
    ['a promise that rejects', { by: () => Promise.reject(new Error('nobody hears of it')) }],
    ['points below 0', { points: () => -1 }],
    ['points that are no integer', { points: () => Number.NaN }],
  ])('are mistaken where they give %s', async (_what, mistaken) => {
    const { options, errors } = makeSite();
    const handler = vi.fn();
    const client = await connectTo({ receive: withRateLimit({ limiter: new FakeLimiter(), ...mistaken })(handler) }, options);
    await client.send('a');
    expect(client.closed?.code).toBe(1011);
    expect(errors[0]).toBeInstanceOf(TypeError);
    expect(handler).not.toHaveBeenCalled();
  });
});
