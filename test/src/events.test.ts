import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import {
  ChannelError,
  ChannelServer,
  type ChannelServerOptions,
  DenyConnection,
  type HasChannelSession,
  type ReceiveMessage,
  tokenIdOf,
  withAuthenticatedUser,
  withChannelSession,
  withHttpSession,
  withUserFromToken,
} from '../../entries/index.js';
import { MemorySessionStore } from '../../entries/memory.js';
import { connectTo } from '../../entries/testing.js';
import { type ChannelEvent, Events } from '../../src/events.js';
import { eventTypes, listenTo, ofType } from '../support/heard.js';
import { aliceKey, bobKey, codesOf, expectProcessToLive, makeSite } from '../support/site.js';
import { WsClient } from '../support/ws-client.js';

expectProcessToLive();
const aliceDigest = createHash('sha256').update('alice').digest('hex').slice(0, 16);

/** A site, and a server's options with an `onEvent` that keeps what it is told. */
function listeningSite() {
  const site = makeSite();
  const events: ChannelEvent[] = [];
  const options: ChannelServerOptions = { ...site.options, onEvent: (event) => void events.push(event) };
  return { ...site, events, options };
}

describe('the events of a channel', () => {
  it('tell of its identification, its handshake and its end, with durations of the monotonic clock', async () => {
    const { clock, tokens, options, events } = listeningSite();
    const slow: typeof tokens.findById = async (id) => {
      await clock.advance(7);
      return tokens.findById(id);
    };
    const connect = withUserFromToken({ tokens: { findById: slow } })(() => clock.advance(20));
    const client = await connectTo({ connect }, { ...options, cookies: { key: aliceKey } });
    clock.setTime(0);
    await clock.advance(1_000);
    await client.disconnect(4000, 'bye');
    const subject = { channelId: client.channel.id, userDigest: aliceDigest, tokenId: tokenIdOf(aliceKey) };
    expect(events).toEqual([
      { type: 'identification', ...subject, outcome: 'ok', source: 'token', carrier: 'cookie', durationMs: 7 },
      { type: 'handshake', ...subject, via: 'upgrade', outcome: 'ok', source: 'token', durationMs: 27, traceparent: undefined },
      { type: 'close', ...subject, code: undefined, closeCode: 4000, reason: undefined, wasOpen: true, ageMs: 1_027 },
    ]);
  });

  it('are published on node:diagnostics_channel, each type on a channel of its own', async () => {
    const { tokens, options } = makeSite();
    const heard = listenTo(...eventTypes);
    const client = await connectTo({ connect: withUserFromToken({ tokens })(() => {}) }, { ...options, cookies: { key: aliceKey } });
    client.channel.close(1000, 'done');
    await client.disconnect();
    expect(heard.map(({ type }) => type)).toEqual(['identification', 'handshake', 'close']);
    expect(ofType(heard, 'close')).toMatchObject([{ code: 'ERR_CHANNEL_CLOSED', closeCode: 1000, reason: 'done' }]);
  });

  it.each([
    ['no credential', {}, { outcome: 'missing', source: undefined, tokenId: undefined }],
    ['a malformed one', { key: 'short' }, { outcome: 'malformed', source: 'token', tokenId: undefined }],
    ['an unknown one', { key: 'f'.repeat(40) }, { outcome: 'unknown', source: 'token', tokenId: tokenIdOf('f'.repeat(40)) }],
    ['a revoked one', { key: bobKey }, { outcome: 'revoked', source: 'token', tokenId: tokenIdOf(bobKey) }],
  ])('say why a client with %s is refused', async (_, cookies, expected) => {
    const { tokens, options, events } = listeningSite();
    await tokens.revoke(tokenIdOf(bobKey));
    const connect = withUserFromToken({ tokens })(withAuthenticatedUser(() => {}));
    const client = await connectTo({ connect }, { ...options, cookies });
    expect(client.refusal).toEqual({ status: 401 });
    expect(ofType(events, 'identification')).toMatchObject([{ ...expected, userDigest: undefined }]);
    expect(ofType(events, 'refusal')).toMatchObject([
      { ...expected, code: 'ERR_AUTHENTICATION_REQUIRED', status: 401, closeCode: undefined, via: 'upgrade', durationMs: 0 },
    ]);
    expect(events).toHaveLength(2); // a channel that was refused is not closed as well
  });

  it('say that a look-up failed, which is not the client’s fault', async () => {
    const { options, events } = listeningSite();
    const tokens = { findById: () => Promise.reject(new Error('down')) };
    await connectTo({ connect: withUserFromToken({ tokens })(() => {}) }, { ...options, cookies: { key: aliceKey } });
    expect(ofType(events, 'identification')).toMatchObject([{ outcome: 'failed' }]);
    expect(ofType(events, 'refusal')).toMatchObject([{ code: 'ERR_LOOKUP_FAILED', status: 503 }]);
  });

  it.each([
    ['its repository gave it up', { findById: () => Promise.reject(new ChannelError('ERR_LOOKUP_TIMEOUT', 'down')) }, ['failed']],
    ['what a handler asks later hangs', undefined, ['ok']],
  ])('say once what came of a look-up where %s', async (_, given, outcomes) => {
    const { tokens, options, events } = listeningSite();
    const connect = withUserFromToken({ tokens: given ?? tokens })(() => {
      throw new ChannelError('ERR_LOOKUP_TIMEOUT', 'The limiter took too long.');
    });
    await connectTo({ connect }, { ...options, cookies: { key: aliceKey } });
    expect(ofType(events, 'identification').map(({ outcome }) => outcome)).toEqual(outcomes);
    expect(ofType(events, 'refusal')).toMatchObject([{ code: 'ERR_LOOKUP_TIMEOUT', status: 503 }]);
  });

  it('say nothing of an identification where only the HTTP session is read, in vain', async () => {
    const { options, events } = listeningSite();
    const gaveUp = () => Promise.reject(new ChannelError('ERR_LOOKUP_TIMEOUT', 'down'));
    await connectTo({ connect: withHttpSession({ sessions: { read: gaveUp, readById: gaveUp } })(() => {}) }, options);
    expect(events).toMatchObject([{ type: 'refusal', code: 'ERR_LOOKUP_TIMEOUT' }]);
  });

  it.each([
    ['a foreign origin', { origin: 'https://evil.example' }, 'ERR_ORIGIN_REFUSED', 403],
    ['a handler that denies', { url: '/deny' }, 'ERR_CONNECTION_DENIED', 418],
    ['a handler that throws', { url: '/throw' }, 'ERR_HANDLER_FAILED', 500],
    ['a handler that closes', { url: '/close' }, 'ERR_CHANNEL_CLOSED', 403],
  ])('say which code refused %s', async (_, handshake, code, status) => {
    const { options, events } = listeningSite();
    const server = new ChannelServer(
      {
        connect({ request, channel }) {
          if (request.url === '/deny') throw new DenyConnection({ status: 418 });
          if (request.url === '/throw') throw new Error('no');
          if (request.url === '/close') channel.close();
        },
      },
      options,
    );
    await connectTo(server, handshake);
    expect(events).toMatchObject([{ type: 'refusal', code, status, closeCode: undefined, outcome: undefined }]);
  });

  it('say that a client left before its handshake had succeeded', async () => {
    const { options, events } = listeningSite();
    await connectTo({ connect: ({ channel }) => channel.terminate() }, options);
    expect(events).toMatchObject([{ type: 'close', wasOpen: false, code: 'ERR_CHANNEL_CLOSED', closeCode: 1006 }]);
  });

  it('say with which code a client was closed whose handshake was answered before', async () => {
    const { tokens, options, events } = listeningSite();
    const connect = withUserFromToken({ tokens })(withAuthenticatedUser(() => {}));
    const server = new ChannelServer({ connect }, options);
    const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0 }).on('connection', server.accept);
    await once(sockets, 'listening');
    const { port } = sockets.address() as AddressInfo;
    const guest = await WsClient.connect(port);
    await guest.closed();
    const alice = await WsClient.connect(port, { cookie: `key=${aliceKey}` });
    await alice.close(1000);
    await server.close();
    sockets.close();
    expect(ofType(events, 'refusal')).toMatchObject([{ via: 'accept', status: undefined, closeCode: 3000 }]);
    expect(ofType(events, 'handshake')).toMatchObject([{ via: 'accept' }]);
    expect(ofType(events, 'close')).toMatchObject([{ closeCode: 1000, code: undefined }]);
  });

  it('hand on the trace context of the handshake, where it is well-formed', async () => {
    const { options, events } = listeningSite();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await connectTo({ connect() {} }, { ...options, headers: { traceparent } });
    await connectTo({ connect() {} }, { ...options, headers: { traceparent: `${traceparent} ${aliceKey}` } });
    expect(ofType(events, 'handshake').map((event) => event.traceparent)).toEqual([traceparent, undefined]);
  });

  it('tell of a client that reads too slowly', async () => {
    const { options, events } = listeningSite();
    const client = await connectTo({ connect() {} }, { ...options, maxBufferedBytes: 10 });
    const socket = client.channel.socket as unknown as { bufferedAmount: number };
    socket.bufferedAmount = 1_000;
    expect(client.channel.send('more')).toBe(false);
    await client.disconnect();
    expect(ofType(events, 'slow-consumer')).toMatchObject([{ channelId: client.channel.id, bufferedBytes: 1_000 }]);
    expect(ofType(events, 'close')).toMatchObject([{ code: 'ERR_SLOW_CONSUMER', closeCode: 1013, reason: 'too slow' }]);
  });
});

describe('the events of sessions', () => {
  it('tell of a write once, with all whose changes it holds, and how long it took', async () => {
    const { clock, tokens, options, events } = listeningSite();
    const store = new MemorySessionStore({ clock });
    const create = store.create.bind(store);
    vi.spyOn(store, 'create').mockImplementation(async (id, session) => {
      await clock.advance(5);
      return create(id, session);
    });
    const receive = withChannelSession({ store, scope: 'user' })(({ channelSession }) => {
      channelSession.update('count', (count) => Number(count ?? 0) + 1);
    });
    const server = new ChannelServer({ connect: withUserFromToken({ tokens })(() => {}), receive }, options);
    const clients = await Promise.all([1, 2, 3].map(() => connectTo(server, { cookies: { key: aliceKey } })));
    await Promise.all(clients.map((client) => client.send('more')));
    const [first, second, third] = clients.map(({ channel }) => channel.id);
    expect(ofType(events, 'save')).toEqual([
      { type: 'save', channelIds: [first], commits: 1, code: undefined, durationMs: 5 },
      { type: 'save', channelIds: [second, third], commits: 2, code: undefined, durationMs: 0 },
    ]);
  });

  it('tell of those whom others came before: who tries again, and who fails', async () => {
    const { clock, tokens, options, events, errors } = listeningSite();
    const store = new MemorySessionStore({ clock });
    let values = 0;
    const set = withChannelSession({ store, scope: 'user' })(({ channelSession, text }: ReceiveMessage & HasChannelSession) => {
      channelSession.set(text, ++values);
    });
    const slots = { connect: withUserFromToken({ tokens })(() => {}), receive: set };
    const [here, there] = [new ChannelServer(slots, options), new ChannelServer(slots, makeSite().options)];
    const [one, other] = [await connectTo(here, { cookies: { key: aliceKey } }), await connectTo(there, { cookies: { key: aliceKey } })];
    await other.send('a');
    await one.send('b');
    expect(ofType(events, 'conflict')).toEqual([{ type: 'conflict', channelIds: [one.channel.id], isRetried: true }]);
    expect(ofType(events, 'save')).toMatchObject([{ commits: 1, code: undefined }]);
    await other.send('c');
    await one.send('c');
    expect(ofType(events, 'conflict').slice(1)).toEqual([
      { type: 'conflict', channelIds: [one.channel.id], isRetried: true },
      { type: 'conflict', channelIds: [one.channel.id], isRetried: false },
    ]);
    expect(codesOf(errors)).toEqual(['ERR_SESSION_CONFLICT']);
    expect(ofType(events, 'close')).toMatchObject([{ code: 'ERR_SESSION_CONFLICT', closeCode: 1011 }]);
  });

  it('tell why nothing was written', async () => {
    const { clock, options, events } = listeningSite();
    const store = new MemorySessionStore({ clock });
    vi.spyOn(store, 'create').mockRejectedValue(new Error('down'));
    const receive = withChannelSession({ store })(({ channelSession }) => channelSession.set('n', 1));
    const client = await connectTo({ receive }, options);
    await client.send('a');
    expect(ofType(events, 'save')).toMatchObject([{ channelIds: [client.channel.id], code: 'ERR_SESSION_SAVE_FAILED' }]);
  });
});

describe('where nobody listens', () => {
  /** What a life of a channel costs: connect, a session that is written, a refusal, a slow client, the end. */
  async function live(options: ChannelServerOptions, { tokens, store }: Pick<ReturnType<typeof makeSite>, 'tokens' | 'store'>) {
    const count = withChannelSession({ store })(({ channelSession }) => channelSession.set('n', 1));
    const server = new ChannelServer({ connect: withUserFromToken({ tokens })(withAuthenticatedUser(() => {})), receive: count }, options);
    await connectTo(server);
    const client = await connectTo(server, { cookies: { key: aliceKey } });
    await client.send('a');
    await client.disconnect();
  }

  it('no event is made, nothing is digested and the clock is not read', async () => {
    const emit = vi.spyOn(Events.prototype, 'emit');
    const since = vi.spyOn(Events.prototype, 'since');
    const started = vi.spyOn(Events.prototype, 'start');
    const silent = makeSite();
    const reads = vi.spyOn(silent.clock, 'monotonic');
    await live(silent.options, silent);
    expect([emit, since].map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
    expect(started.mock.results.filter(({ value }) => value !== undefined)).toEqual([]);
    const { length } = reads.mock.calls;
    const heard = makeSite();
    const readsThen = vi.spyOn(heard.clock, 'monotonic');
    await live({ ...heard.options, onEvent: () => {} }, heard);
    const starts = started.mock.results.filter(({ value }) => value !== undefined).length;
    const ends = since.mock.calls.filter(([start]) => start !== undefined).length;
    expect(starts + ends).toBeGreaterThan(6);
    expect(readsThen.mock.calls).toHaveLength(length + starts + ends); // and no other read is for events
  });

  it('who comes later hears what happens from then on, without the durations of what began before', async () => {
    const { tokens, options } = makeSite();
    const server = new ChannelServer({ connect: withUserFromToken({ tokens })(() => {}) }, options);
    const client = await connectTo(server, { cookies: { key: aliceKey } });
    const heard = listenTo('handshake', 'close');
    await client.disconnect();
    expect(heard).toMatchObject([{ type: 'close', userDigest: aliceDigest, wasOpen: true, ageMs: undefined }]);
  });

  it.each([
    ['ok', aliceKey],
    ['failed', bobKey],
  ])('who comes while a user is looked up hears what comes of it: %s', async (outcome, key) => {
    const { tokens, options } = makeSite();
    let heard: ChannelEvent[] = [];
    const findById: typeof tokens.findById = async (id) => {
      heard = listenTo('identification');
      if (id === tokenIdOf(bobKey)) throw new Error('down');
      return tokens.findById(id);
    };
    await connectTo({ connect: withUserFromToken({ tokens: { findById } })(() => {}) }, { ...options, cookies: { key } });
    expect(heard).toMatchObject([{ type: 'identification', outcome, durationMs: undefined }]);
  });

  it('only the types that somebody listens to are told', async () => {
    const emit = vi.spyOn(Events.prototype, 'emit');
    const heard = listenTo('close');
    await (await connectTo({ connect() {} }, makeSite().options)).disconnect();
    expect(emit).toHaveBeenCalledTimes(1);
    expect(heard).toMatchObject([{ type: 'close', ageMs: expect.any(Number) as number }]);
  });
});

describe('onEvent', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
    [
      'throws what rejects',
      () => {
        throw Promise.reject(new Error('no'));
      },
    ],
  ] as const)('that %s harms nothing', async (_, listen) => {
    const onEvent = listen as () => void; // whatever JavaScript may give
    const { options, errors } = makeSite();
    const client = await connectTo({ receive: ({ channel }) => void channel.send('pong') }, { ...options, onEvent });
    await client.send('ping');
    await client.disconnect();
    expect([client.sent, errors]).toEqual([['pong'], []]);
  });

  it('must be a function', () => {
    expect(() => new ChannelServer({}, { onEvent: 'log' as never })).toThrow(TypeError);
  });
});
