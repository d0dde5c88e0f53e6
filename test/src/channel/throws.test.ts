import { describe, expect, it } from 'vitest';
import { ChannelError, ChannelServer, ClientError, CloseChannel, DenyConnection } from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { deferred } from '../../support/deferred.js';
import { RawClient } from '../../support/raw-client.js';
import { type Mode, modes, nextTurn, serve } from '../../support/serving.js';
import { WsClient } from '../../support/ws-client.js';

const manners = {
  'throws at once': () => {
    throw new Error('secret detail');
  },
  'throws later': async () => {
    await nextTurn();
    throw new Error('secret detail');
  },
  'rejects with nothing': () => Promise.reject(),
  'throws null': () => {
    throw null;
  },
  'throws a ClientError that nobody catches': () => {
    throw new ClientError('room_full');
  },
  'returns a thenable whose then throws': () => ({
    // biome-ignore lint/suspicious/noThenProperty: that is the case
    get then(): never {
      throw new Error('secret detail');
    },
  }),
  'throws an error with a code of its own making': () => {
    throw new ChannelError('toString' as never, 'secret detail');
  },
} as const;

const reporters = {
  'that works': () => undefined,
  'that throws': () => {
    throw new Error('onError fails too');
  },
  'that rejects': () => Promise.reject(new Error('onError fails too')),
} as const;

/** A server one of whose slots fails, with another client beside, who must notice nothing. */
async function failing(slot: 'connect' | 'receive' | 'disconnect', fail: () => unknown, onError: () => unknown, mode: Mode) {
  let reports = 0;
  const disconnected = deferred<number>();
  const isFailing = ({ channel }: { readonly channel: object }): boolean => failures.has(channel);
  const failures = new WeakSet<object>();
  const served = await serve(
    {
      connect: (message) => {
        if (message.request.headers['x-fail'] === undefined) return undefined;
        failures.add(message.channel);
        return slot === 'connect' ? fail() : undefined;
      },
      receive: (message) => (slot === 'receive' && isFailing(message) ? fail() : void message.channel.send(message.text)),
      disconnect: (message) => {
        if (isFailing(message)) disconnected.resolve(message.code);
        return slot === 'disconnect' && isFailing(message) ? fail() : undefined;
      },
    },
    {
      mode,
      onError: () => {
        reports += 1;
        return onError();
      },
    },
  );
  const other = await WsClient.connect(served.port);
  const client = await WsClient.connect(served.port, { headers: { 'x-fail': '1' } });
  return { ...served, other, client, disconnected: disconnected.promise, reports: () => reports };
}

async function goesOn(client: WsClient): Promise<void> {
  client.send('still here');
  expect(await client.next()).toBe('still here');
}

describe.each(modes)('a handler that fails (%s)', (mode) => {
  it.each(Object.entries(manners))('in connect: %s', async (_manner, fail) => {
    for (const onError of Object.values(reporters)) {
      const { client, other, reports, channels } = await failing('connect', fail, onError, mode);
      if (mode === 'accept') expect(await client.closed()).toEqual({ code: 1011, reason: 'internal error' });
      else expect(client.refused).toMatchObject({ status: 500, body: 'Internal Server Error\n' });
      expect(reports()).toBe(1);
      await goesOn(other);
      expect(channels.channels.size).toBe(1);
    }
  });

  it.each(Object.entries(manners))('in receive: %s', async (_manner, fail) => {
    for (const onError of Object.values(reporters)) {
      const { client, other, reports, disconnected } = await failing('receive', fail, onError, mode);
      for (const text of ['1', '2', '3']) client.send(text);
      expect(await client.closed()).toEqual({ code: 1011, reason: 'internal error' });
      expect(await disconnected).toBe(1011);
      expect(reports()).toBe(1);
      await goesOn(other);
    }
  });

  it.each(Object.entries(manners))('in disconnect: %s', async (_manner, fail) => {
    for (const onError of Object.values(reporters)) {
      const { client, other, reports, disconnected } = await failing('disconnect', fail, onError, mode);
      await client.close(4000);
      expect(await disconnected).toBe(4000);
      await goesOn(other);
      expect(reports()).toBe(1);
    }
  });
});

describe('a throw', () => {
  it('closes once where several handlers throw at once', async () => {
    const failed = deferred();
    const log: string[] = [];
    const client = await connectTo(
      {
        receive: async ({ text }) => {
          await failed.promise;
          throw new Error(text);
        },
        disconnect: ({ code }) => void log.push(`disconnect ${code}`),
      },
      { concurrency: 3, onError: (error) => log.push((error as Error).message) },
    );
    const handled = ['a', 'b', 'c'].map((text) => client.send(text));
    failed.resolve();
    await Promise.all(handled);
    expect(log).toEqual(['a', 'b', 'c', 'disconnect 1011']);
    expect(client.closed).toEqual({ code: 1011, reason: 'internal error' });
  });

  it('reaches onError with its message', async () => {
    const reports: unknown[] = [];
    const thrown = new Error('mine');
    const client = await connectTo(
      { receive: () => Promise.reject(thrown) },
      { onError: (error, message) => reports.push([error, message?.kind, message?.channel.id]) },
    );
    await client.send('x');
    expect(reports).toEqual([[thrown, 'receive', client.channel.id]]);
  });

  it.each([
    ['DenyConnection', new DenyConnection({ closeCode: 4003, reason: 'no' }), { code: 4003, reason: 'no' }],
    ['DenyConnection without details', new DenyConnection(), { code: 3003, reason: 'denied' }],
    ['CloseChannel', new CloseChannel(4004, 'over'), { code: 4004, reason: 'over' }],
    ['CloseChannel without details', new CloseChannel(), { code: 1000, reason: '' }],
  ])('of %s is no error, and closes as it says', async (_what, thrown, closed) => {
    const errors: unknown[] = [];
    const client = await connectTo({ receive: () => Promise.reject(thrown) }, { onError: (error) => errors.push(error) });
    await client.send('x');
    expect(client.closed).toEqual(closed);
    expect(errors).toEqual([]);
  });

  it.each(modes)('cuts a long reason at 123 bytes, and inside no character (%s)', async (mode) => {
    const { port } = await serve({ receive: () => Promise.reject(new CloseChannel(4000, '€'.repeat(60))) }, { mode });
    const client = await WsClient.connect(port);
    client.send('x');
    expect(await client.closed()).toEqual({ code: 4000, reason: '€'.repeat(41) });
  });

  it('may come from onWarning too', async () => {
    const channels = new ChannelServer(
      { receive: () => undefined },
      {
        onWarning: () => {
          throw new Error('onWarning fails');
        },
      },
    );
    const client = await connectTo(channels, { origin: 'https://evil.example' });
    expect(client.refusal).toEqual({ status: 403 });
  });
});

describe('a bad frame', () => {
  it.each(modes)('ends its own connection alone (%s)', async (mode) => {
    const codes: number[] = [];
    const gone = deferred();
    const { port } = await serve(
      {
        receive: ({ channel, text }) => void channel.send(text),
        disconnect: ({ code }) => {
          codes.push(code);
          gone.resolve();
        },
      },
      { mode },
    );
    const other = await WsClient.connect(port);
    const client = await RawClient.connect(port);
    client.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
    expect(await client.closeCode()).toBe(1002);
    client.finish();
    await gone.promise;
    expect(codes).toHaveLength(1);
    await goesOn(other);
  });

  it.each(modes)('in one piece with the handshake ends its own connection alone (%s)', async (mode) => {
    const connecting = deferred();
    const { port } = await serve({ connect: () => connecting.promise, receive: ({ channel, text }) => void channel.send(text) }, { mode });
    const client = await RawClient.upgrade(port, { head: Buffer.from([0xff, 0xff, 0xff, 0xff]) });
    await nextTurn();
    connecting.resolve();
    expect(await client.status()).toBe(101);
    expect(await client.closeCode()).toBe(1002);
    await goesOn(await WsClient.connect(port));
  });
});
