import { describe, expect, it } from 'vitest';
import {
  type ChannelHandlers,
  ChannelServer,
  type ChannelServerOptions,
  CloseChannel,
  DenyConnection,
  privateCloseCodes,
  withAllowedOrigins,
  withAuthenticatedUser,
  withChannelSession,
  withUserFromToken,
} from '../../../entries/index.js';
import { MemorySessionStore } from '../../../entries/memory.js';
import { modes, nextTurn, serve } from '../../support/serving.js';
import { storeWith } from '../../support/store-with.js';
import { type Closed, WsClient, type WsClientOptions } from '../../support/ws-client.js';

const key = '4ac18618b19f1f03dc9055a4f13bddc04c0cf8bf';
const down = (): Promise<never> => Promise.reject(new Error('down'));
const fromTokens = withUserFromToken({ tokens: { findById: async () => undefined } });
const kept = new MemorySessionStore();

interface Row {
  readonly cause: string;
  readonly handlers: ChannelHandlers;
  readonly options?: ChannelServerOptions;
  readonly client?: WsClientOptions;
  readonly before: number;
  readonly after: Closed;
}

const rows: readonly Row[] = [
  {
    cause: 'an origin that the server refuses',
    handlers: { receive: () => undefined },
    client: { origin: 'https://evil.example' },
    before: 403,
    after: { code: 3003, reason: 'origin refused' },
  },
  {
    cause: 'an origin that a wrapper refuses',
    handlers: { connect: withAllowedOrigins(['https://app.example.com'])(() => undefined) },
    options: { origins: ['https://evil.example'] },
    client: { origin: 'https://evil.example' },
    before: 403,
    after: { code: 3003, reason: 'origin refused' },
  },
  {
    cause: 'an anonymous user where one is required',
    handlers: { connect: fromTokens(withAuthenticatedUser(() => undefined)) },
    client: { cookie: `key=${key}` },
    before: 401,
    after: { code: 3000, reason: 'authentication required' },
  },
  {
    cause: 'DenyConnection',
    handlers: { connect: () => Promise.reject(new DenyConnection()) },
    before: 403,
    after: { code: 3003, reason: 'denied' },
  },
  {
    cause: 'DenyConnection with details',
    handlers: { connect: () => Promise.reject(new DenyConnection({ status: 418, closeCode: 4018, reason: 'teapot' })) },
    before: 418,
    after: { code: 4018, reason: 'teapot' },
  },
  {
    cause: 'CloseChannel in connect',
    handlers: { connect: () => Promise.reject(new CloseChannel(4004, 'gone')) },
    before: 403,
    after: { code: 4004, reason: 'gone' },
  },
  {
    cause: 'a look-up that fails',
    handlers: { connect: withUserFromToken({ tokens: { findById: down } })(() => undefined) },
    client: { cookie: `key=${key}` },
    before: 503,
    after: { code: 1013, reason: 'try again later' },
  },
  {
    cause: 'a throw',
    handlers: { connect: () => Promise.reject(new Error('secret')) },
    before: 500,
    after: { code: 1011, reason: 'internal error' },
  },
  {
    cause: 'a save that fails',
    handlers: { connect: withChannelSession(({ channelSession }) => channelSession.set('a', 1)) },
    options: { session: { store: storeWith(kept, { create: down, save: down }) } },
    before: 500,
    after: { code: 1011, reason: 'internal error' },
  },
];

const bodies: Readonly<Record<number, string>> = {
  401: 'Unauthorized\n',
  403: 'Forbidden\n',
  418: "I'm a Teapot\n",
  500: 'Internal Server Error\n',
  503: 'Service Unavailable\n',
};

describe('what the other side sees', () => {
  it.each(rows)('of $cause: $before before the 101', async ({ handlers, options, client, before }) => {
    const { port, channels, clock } = await serve(handlers, options);
    const refused = await WsClient.connect(port, client);
    expect(refused.refused).toMatchObject({ status: before, body: bodies[before] });
    expect(refused.refused?.headers['retry-after'] !== undefined).toBe(before === 503);
    expect(refused.refused?.headers['www-authenticate'] !== undefined).toBe(before === 401);
    await channels.close();
    expect(channels.channels.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it.each(rows)('of $cause: $after.code after it', async ({ handlers, options, client, after }) => {
    const { port, channels, clock } = await serve(handlers, { ...options, mode: 'accept' });
    const closed = await WsClient.connect(port, client);
    expect(await closed.closed()).toEqual(after);
    expect(closed.received).toEqual([]);
    await channels.close();
    expect(channels.channels.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it.each(modes)('of an anonymous user in a receive handler that requires one: 3000 (%s)', async (mode) => {
    let handled = 0;
    const receive = fromTokens(
      withAuthenticatedUser(() => {
        handled += 1;
      }),
    );
    const { port, errors } = await serve({ receive }, { mode });
    const client = await WsClient.connect(port);
    client.send('x');
    expect(await client.closed()).toEqual({ code: 3000, reason: 'authentication required' });
    expect(handled).toBe(0);
    expect(errors).toEqual([]);
  });
});

describe('the option outcomes', () => {
  it('replaces statuses, codes and reasons, and leaves the others', async () => {
    const outcomes = {
      ERR_HANDLER_FAILED: { status: 502, closeCode: 4500, reason: 'oops' },
      ERR_CONNECTION_DENIED: { closeCode: 4000 },
    };
    const handlers: ChannelHandlers = {
      connect: ({ request }) => {
        if (request.url === '/deny') throw new DenyConnection();
        if (request.url === '/throw') throw new Error('secret');
      },
    };
    const upgrades = await serve(handlers, { outcomes });
    expect((await WsClient.connect(upgrades.port, { path: '/throw' })).refused?.status).toBe(502);
    expect((await WsClient.connect(upgrades.port, { path: '/deny' })).refused?.status).toBe(403);
    const accepted = await serve(handlers, { outcomes, mode: 'accept' });
    const thrown = await WsClient.connect(accepted.port, { path: '/throw' });
    expect(await thrown.closed()).toEqual({ code: 4500, reason: 'oops' });
    const denied = await WsClient.connect(accepted.port, { path: '/deny' });
    expect(await denied.closed()).toEqual({ code: 4000, reason: 'denied' });
  });

  it('takes the preset of private codes', async () => {
    const handlers: ChannelHandlers = {
      connect: fromTokens(({ request }) => {
        if (request.url === '/deny') throw new DenyConnection();
        if (request.url === '/hang') return new Promise(() => undefined);
        return undefined;
      }),
      receive: fromTokens(withAuthenticatedUser(() => undefined)),
    };
    const { port, clock } = await serve(handlers, { mode: 'accept', outcomes: privateCloseCodes });
    const refused = await WsClient.connect(port, { origin: 'https://evil.example' });
    expect((await refused.closed()).code).toBe(4403);
    expect((await (await WsClient.connect(port, { path: '/deny' })).closed()).code).toBe(4403);
    const anonymous = await WsClient.connect(port);
    anonymous.send('x');
    expect((await anonymous.closed()).code).toBe(4401);
    const hanging = await WsClient.connect(port, { path: '/hang' });
    await nextTurn();
    await clock.advance(5_000);
    expect((await hanging.closed()).code).toBe(4408);
  });

  it('cuts a reason that is too long', async () => {
    const outcomes = { ERR_HANDLER_FAILED: { reason: '€'.repeat(50) } };
    const { port } = await serve({ receive: () => Promise.reject(new Error('secret')) }, { outcomes });
    const client = await WsClient.connect(port);
    client.send('x');
    expect(await client.closed()).toEqual({ code: 1011, reason: '€'.repeat(41) });
  });

  it.each([
    { ERR_NOPE: {} },
    { ERR_HANDLER_FAILED: { status: 200 } },
    { ERR_HANDLER_FAILED: { status: 600 } },
    { ERR_HANDLER_FAILED: { closeCode: 1006 } },
    { ERR_HANDLER_FAILED: { reason: 5 } },
  ])('throws a TypeError for %o', (outcomes) => {
    expect(() => new ChannelServer({ receive: () => undefined }, { outcomes: outcomes as ChannelServerOptions['outcomes'] })).toThrow(
      TypeError,
    );
  });
});

describe('DenyConnection and CloseChannel', () => {
  it('throw a TypeError for what a server may not say', () => {
    for (const status of [200, 399, 600, 403.5]) expect(() => new DenyConnection({ status })).toThrow(TypeError);
    for (const closeCode of [1005, 1006, 2000, 5000]) {
      expect(() => new DenyConnection({ closeCode })).toThrow(TypeError);
      expect(() => new CloseChannel(closeCode)).toThrow(TypeError);
    }
  });
});
