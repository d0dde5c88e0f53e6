import { describe, expect, it, vi } from 'vitest';
import {
  ChannelServer,
  type ChannelServerOptions,
  type ConnectMessage,
  withAuthenticatedUser,
  withUserFromToken,
} from '../../../entries/index.js';
import { connectTo, TestClock } from '../../../entries/testing.js';
import { eventually } from '../../support/eventually.js';
import { RawClient } from '../../support/raw-client.js';
import { modes, oneToken, serve } from '../../support/serving.js';
import { codesOf } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';

const isIn = (client: WsClient): boolean => client.refused === undefined && client.socket.readyState === client.socket.OPEN;

/** Connects `count` clients at once, and tells how many are in and how the others were refused. */
async function storm(port: number, count: number, cookie?: string) {
  const clients = await Promise.all(Array.from({ length: count }, () => WsClient.connect(port, cookie === undefined ? {} : { cookie })));
  const refusals: unknown[] = [];
  for (const client of clients) {
    if (client.refused !== undefined) refusals.push([client.refused.status, client.refused.headers['retry-after'] !== undefined]);
    else if ((await client.next().catch(() => undefined)) !== 'ready') refusals.push(await client.closed());
  }
  return { clients: clients.filter(isIn), refusals };
}

describe.each(modes)('limits of channels (%s)', (mode) => {
  const refusal = mode === 'accept' ? { code: 1013, reason: 'too many connections' } : [429, true];

  it.each(['maxChannelsPerUser', 'maxChannelsPerAddress'] as const)(
    'of a hundred at once exactly %s are let in, and places are freed',
    async (limit) => {
      const { tokens, cookie } = await oneToken();
      const connect = withUserFromToken({ tokens })(withAuthenticatedUser(({ channel }) => void channel.send('ready')));
      const { port, channels, errors, warnings } = await serve({ connect }, { mode, [limit]: 7 });
      const { clients, refusals } = await storm(port, 100, cookie);
      expect(clients).toHaveLength(7);
      expect(refusals).toEqual(Array.from({ length: 93 }, () => refusal));
      expect(channels.channels.size).toBe(7);
      expect([errors, codesOf(warnings)]).toEqual([[], ['ERR_TOO_MANY_CHANNELS']]);
      clients[0]?.terminate();
      await clients[1]?.close();
      await eventually(() => expect(channels.channels.size).toBe(5));
      expect((await storm(port, 10, cookie)).clients).toHaveLength(2);
    },
  );

  it.each(['connect', 'receive'])(
    'an address over its limit costs no look-up, whether connect or only receive identifies (%s)',
    async (slot) => {
      const { tokens, cookie } = await oneToken();
      const findById = vi.spyOn(tokens, 'findById');
      const connect = ({ channel }: ConnectMessage): void => void channel.send('ready');
      const identified = withUserFromToken({ tokens });
      const handlers = slot === 'connect' ? { connect: identified(connect) } : { connect, receive: identified(() => undefined) };
      const { port } = await serve(handlers, { mode, maxChannelsPerAddress: 1 });
      await storm(port, 20, cookie);
      expect(findById).toHaveBeenCalledTimes(1);
    },
  );

  it('a client that leaves while it connects frees its place', async () => {
    const signals: AbortSignal[] = [];
    const { port, channels } = await serve(
      {
        connect: ({ request, signal, channel }) => {
          signals.push(signal);
          return request.url === '/hangs' ? new Promise(() => undefined) : void channel.send('ready');
        },
      },
      { mode, maxChannelsPerAddress: 1 },
    );
    const client = await RawClient.upgrade(port, { path: '/hangs' });
    await eventually(() => expect(signals).toHaveLength(1));
    client.reset();
    await eventually(() => expect(signals[0]?.aborted).toBe(true));
    await eventually(async () => expect((await storm(port, 1)).clients).toHaveLength(1));
    expect(channels.channels.size).toBe(1);
  });
});

describe('clientAddress', () => {
  const from = (address: string) => ({ headers: { 'x-forwarded-for': `203.0.113.9, ${address}`, 'x-client': address } });

  async function statuses(options: ChannelServerOptions, addresses: readonly string[]) {
    const errors: unknown[] = [];
    const channels = new ChannelServer(
      { receive: () => undefined },
      { clock: new TestClock(), maxChannelsPerAddress: 1, onError: (error) => errors.push(error), onWarning: () => undefined, ...options },
    );
    const refusals: (number | undefined)[] = [];
    for (const address of addresses) refusals.push((await connectTo(channels, from(address))).refusal?.status);
    return { refusals, errors };
  }

  it('is by default the last address that a trusted proxy has seen', async () => {
    const { refusals } = await statuses({ trustProxy: true }, ['192.0.2.1', '192.0.2.2', '192.0.2.1']);
    expect(refusals).toEqual([undefined, undefined, 429]);
  });

  it('says who it is', async () => {
    const clientAddress = (request: { headers: Record<string, unknown> }): string => String(request.headers['x-client']).slice(0, 7);
    const { refusals } = await statuses({ clientAddress }, ['192.0.2.1', '198.51.100.1', '192.0.2.9']);
    expect(refusals).toEqual([undefined, undefined, 429]);
  });

  it('undefined counts nowhere', async () => {
    const { refusals } = await statuses({ clientAddress: () => undefined }, ['192.0.2.1', '192.0.2.1']);
    expect(refusals).toEqual([undefined, undefined]);
  });

  it.each([
    () => 5 as never,
    () => Promise.reject(new Error('no')) as never,
    () => {
      throw new Error('no');
    },
  ])('a wrong one refuses with 500 and is reported: %s', async (clientAddress) => {
    const { refusals, errors } = await statuses({ clientAddress }, ['192.0.2.1']);
    expect(refusals).toEqual([500]);
    expect(errors).toHaveLength(1);
  });
});

it('anonymous channels count for no user', async () => {
  const { tokens } = await oneToken();
  const channels = new ChannelServer({ connect: withUserFromToken({ tokens })(() => undefined) }, { maxChannelsPerUser: 1 });
  const clients = [await connectTo(channels), await connectTo(channels)];
  expect(clients.map(({ refusal }) => refusal)).toEqual([undefined, undefined]);
});

it.each([0, -1, 1.5, Number.NaN, '5', null])('a limit of %s is a TypeError', (limit) => {
  expect(() => new ChannelServer({ receive: () => undefined }, { maxChannelsPerUser: limit as number })).toThrow(TypeError);
  expect(() => new ChannelServer({ receive: () => undefined }, { maxChannelsPerAddress: limit as number })).toThrow(TypeError);
});
