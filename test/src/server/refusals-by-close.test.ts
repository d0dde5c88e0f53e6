import { describe, expect, it } from 'vitest';
import {
  type ChannelHandlers,
  CloseChannel,
  DenyConnection,
  subprotocol,
  type UpgradeOptions,
  withAuthenticatedUser,
  withUserFromToken,
} from '../../../entries/index.js';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { closeFrame, frame, RawClient } from '../../support/raw-client.js';
import { oneToken, type ServeOptions, serve } from '../../support/serving.js';
import { codesOf } from '../../support/site.js';
import { WsClient, type WsClientOptions } from '../../support/ws-client.js';

const upgrades: UpgradeOptions = { refusals: 'close' };
const { tokens } = await oneToken();
const guarded = withUserFromToken({ tokens })(withAuthenticatedUser(() => undefined));

interface Case {
  readonly name: string;
  readonly connect: NonNullable<ChannelHandlers['connect']>;
  readonly client?: WsClientOptions;
  readonly options?: ServeOptions;
  readonly status: number;
  readonly code: number;
  readonly reason: string;
}

const cases: Case[] = [
  { name: 'an anonymous user', connect: guarded as Case['connect'], status: 401, code: 3000, reason: 'authentication required' },
  {
    name: 'another origin',
    connect: () => undefined,
    client: { origin: 'https://evil.example' },
    status: 403,
    code: 3003,
    reason: 'origin refused',
  },
  {
    name: 'a DenyConnection',
    connect: ({ channel }) => {
      channel.send('dropped');
      throw new DenyConnection({ status: 404, closeCode: 4404, reason: 'no such room' });
    },
    status: 404,
    code: 4404,
    reason: 'no such room',
  },
  { name: 'a CloseChannel', connect: () => Promise.reject(new CloseChannel(4000, 'bye')), status: 403, code: 4000, reason: 'bye' },
  {
    name: 'a throw',
    connect: ({ channel }) => {
      channel.send('dropped');
      throw new Error('bug');
    },
    status: 500,
    code: 1011,
    reason: 'internal error',
  },
  {
    name: 'outcomes of its own',
    connect: () => Promise.reject(new Error('bug')),
    options: { outcomes: { ERR_HANDLER_FAILED: { status: 599, closeCode: 4999, reason: 'oh' } } },
    status: 599,
    code: 4999,
    reason: 'oh',
  },
];

describe("handleUpgrades({ refusals: 'close' })", () => {
  it.each(cases)(
    'answers and closes with code and reason, and sends nothing else: $name',
    async ({ connect, client: given, options, code, reason }) => {
      const { port, channels } = await serve({ connect }, { ...options, upgrades });
      const client = await WsClient.connect(port, given);
      expect(client.refused).toBe(undefined);
      expect(await client.closed()).toEqual({ code, reason });
      expect(client.received).toEqual([]);
      expect(channels.channels.size).toBe(0);
    },
  );

  it.each(cases)('is a status unless asked for: $name', async ({ connect, client: given, options, status }) => {
    const { port } = await serve({ connect }, options);
    expect((await WsClient.connect(port, given)).refused?.status).toBe(status);
  });

  it('echoes no token as subprotocol, and agrees on the real one', async () => {
    const connect = withUserFromToken({ tokens, from: subprotocol('token.') })(withAuthenticatedUser(() => undefined));
    const { port } = await serve({ connect }, { upgrades });
    const client = await RawClient.upgrade(port, { headers: { 'Sec-WebSocket-Protocol': `token.${'0'.repeat(40)}, chat` } });
    const answer = await client.answer();
    expect(answer).toContain(' 101 ');
    expect(answer.toLowerCase()).toContain('sec-websocket-protocol: chat\r\n');
    expect(answer).not.toContain('token.');
    expect(await client.closeCode()).toBe(3000);
    const alone = await RawClient.upgrade(port, { headers: { 'Sec-WebSocket-Protocol': `token.${'0'.repeat(40)}` } });
    expect(await alone.answer()).not.toContain('token.');
    expect(await alone.closeCode()).toBe(3003);
  });

  it('drops a peer that never answers, whatever it sends before and after', async () => {
    const begun = deferred();
    const going = deferred();
    const received: unknown[] = [];
    const { port, errors } = await serve(
      {
        connect: async () => {
          begun.resolve();
          await going.promise;
          throw new DenyConnection();
        },
        receive: ({ data }) => received.push(data),
      },
      { upgrades },
    );
    const client = await RawClient.upgrade(port);
    await begun.promise;
    client.write(frame('early'));
    going.resolve();
    expect(await client.status()).toBe(101);
    expect(await client.closeCode()).toBe(3003);
    client.write(frame('late'));
    await client.ended();
    expect([received, errors]).toEqual([[], []]);
  });

  it('is over as soon as the peer has closed too', async () => {
    const { port } = await serve({ connect: () => Promise.reject(new DenyConnection()) }, { upgrades });
    const client = await RawClient.upgrade(port);
    await client.status();
    await client.closeCode();
    client.write(closeFrame(3003));
    await client.ended();
  });

  it('tells a connect that takes too long, and too much early input', async () => {
    const begun = deferred();
    const connect = (): Promise<never> => {
      begun.resolve();
      return new Promise(() => undefined);
    };
    const { port, clock, errors, warnings } = await serve({ connect }, { upgrades, maxQueuedBytes: 1_000 });
    const slow = await RawClient.upgrade(port);
    await begun.promise;
    const loud = await RawClient.upgrade(port, { head: frame('x'.repeat(2_000)) });
    expect([await loud.status(), await loud.closeCode()]).toEqual([101, 1008]);
    expect(codesOf(warnings)).toEqual(['ERR_INPUT_OVERFLOW']);
    await clock.advance(5_000);
    expect([await slow.status(), await slow.closeCode()]).toEqual([101, 3008]);
    expect(codesOf(errors)).toEqual(['ERR_CONNECT_TIMEOUT']);
  });

  it('tells 1012 while the server closes, and leaves to statuses what is no handshake', async () => {
    const never = deferred();
    let begun = 0;
    const connect = (): Promise<void> => {
      begun += 1;
      return never.promise;
    };
    const { port, channels } = await serve({ connect }, { upgrades });
    const noHandshake = await RawClient.upgrade(port, { headers: { 'Sec-WebSocket-Key': 'short' } });
    expect(await noHandshake.status()).toBe(400);
    const pending = WsClient.connect(port);
    const waiting = await RawClient.upgrade(port);
    await eventually(() => expect(begun).toBe(2));
    const closed = channels.close({ timeoutMs: 1 });
    expect(await waiting.status()).toBe(101);
    expect(await waiting.closeCode()).toBe(1012);
    expect((await (await pending).closed()).code).toBe(1012);
    never.resolve();
    await closed;
  });

  it('says in its events what the client was told', async () => {
    const events: unknown[] = [];
    const { port } = await serve(
      { connect: () => Promise.reject(new DenyConnection()) },
      { upgrades, onEvent: (event) => event.type === 'refusal' && events.push([event.code, event.status, event.closeCode]) },
    );
    await (await WsClient.connect(port)).closed();
    expect(events).toEqual([['ERR_CONNECTION_DENIED', undefined, 3003]]);
  });

  it.each([
    ['close', undefined, 3003],
    ['status', 400, undefined],
  ] as const)('says so, too, where there was no channel yet (refusals: %s)', async (refusals, status, closeCode) => {
    const events: unknown[] = [];
    const connect = withUserFromToken({ tokens, from: subprotocol('token.') })(() => undefined);
    const { port } = await serve({ connect }, { upgrades: { refusals }, onEvent: (event) => events.push(event) });
    const client = await RawClient.upgrade(port, { headers: { 'Sec-WebSocket-Protocol': 'token.and-nothing-else' } });
    await client.status();
    const code = 'ERR_SUBPROTOCOL_REFUSED';
    expect(events).toMatchObject([{ type: 'refusal', via: 'upgrade', channelId: undefined, code, status, closeCode }]);
  });

  it.each(['reset', 1, null])('a value of %s is a TypeError', async (refusals) => {
    const { channels, http } = await serve({ connect: () => undefined });
    expect(() => channels.handleUpgrades(http, { path: '/other', refusals: refusals as 'close' })).toThrow(TypeError);
  });
});
