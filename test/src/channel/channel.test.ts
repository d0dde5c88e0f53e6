import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type Channel, ChannelServer } from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { deferred } from '../../support/deferred.js';
import { closeFrame, RawClient } from '../../support/raw-client.js';
import { modes, nextTurn, serve } from '../../support/serving.js';
import { expectProcessToLive, thrownBy } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';

expectProcessToLive();

const cyclic: Record<string, unknown> = {};
cyclic['self'] = cyclic;

describe('channel.send', () => {
  it.each(modes)('sends text for strings and binary frames for bytes, those of connect included (%s)', async (mode) => {
    const results: boolean[] = [];
    const { port } = await serve(
      {
        connect: async ({ channel }) => {
          results.push(channel.send('text'), channel.send(Buffer.from('buffer')), channel.send(new Uint8Array([1, 2]).buffer));
          await nextTurn();
          results.push(channel.send(new Uint8Array([3])), channel.sendJson({ json: true }), channel.send(''));
        },
      },
      { mode },
    );
    const client = await WsClient.connect(port);
    expect(await client.take(6)).toEqual(['text', Buffer.from('buffer'), Buffer.from([1, 2]), Buffer.from([3]), '{"json":true}', '']);
    expect(results).toEqual([true, true, true, true, true, true]);
  });

  it('has no socket before the 101, has it afterwards', async () => {
    let before: unknown = 'not asked';
    const { port, channels } = await serve({
      connect: ({ channel }) => {
        before = channel.socket;
        channel.send('ready');
      },
    });
    const client = await WsClient.connect(port);
    await client.next();
    const [channel] = channels.channels;
    expect(before).toBeUndefined();
    expect(channel?.socket?.readyState).toBe(1);
  });

  it.each([undefined, null, 5, true, {}, [], { byteLength: 3 }, () => undefined, new Blob(['x'])])(
    'throws a TypeError for %o, and sends nothing',
    async (data) => {
      const client = await connectTo({ receive: () => undefined });
      expect(() => client.channel.send(data as never)).toThrow(TypeError);
      expect(client.sent).toEqual([]);
      expect(client.closed).toBeUndefined();
    },
  );

  it('throws the same while connect is pending', async () => {
    const thrown: unknown[] = [];
    const { port } = await serve({
      connect: ({ channel }) => {
        for (const data of [5, { byteLength: 3 }, undefined]) {
          try {
            channel.send(data as never);
          } catch (error) {
            thrown.push((error as Error).constructor);
          }
        }
        channel.send('fine');
      },
    });
    const client = await WsClient.connect(port);
    expect(await client.next()).toBe('fine');
    expect(thrown).toEqual([TypeError, TypeError, TypeError]);
  });

  it.each([undefined, () => undefined, Symbol('s'), 1n, cyclic])(
    'sendJson throws a TypeError for %o, which JSON cannot hold',
    async (value) => {
      const client = await connectTo({ receive: () => undefined });
      const error = thrownBy(() => client.channel.sendJson(value));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(/^channel\.sendJson: value /);
      expect(client.sent).toEqual([]);
    },
  );

  it('and sendJson throw a TypeError for a promise that nobody has awaited, and its rejection ends nothing', async () => {
    const client = await connectTo({ receive: () => undefined });
    for (const send of ['send', 'sendJson'] as const) {
      const late = Promise.reject(new Error('nobody hears of it'));
      expect(thrownBy(() => client.channel[send](late as never)).message).toMatch(/^channel\.send(Json)?: .*promise/);
    }
    expect(client.sent).toEqual([]);
  });

  it('does nothing and says false once the channel closes or is gone, by whichever side', async () => {
    const ends: ((channel: Channel, disconnect: () => Promise<void>) => unknown)[] = [
      (channel) => channel.close(),
      (channel) => channel.terminate(),
      (_channel, disconnect) => disconnect(),
    ];
    for (const end of ends) {
      const client = await connectTo({ receive: () => undefined });
      const { channel } = client;
      await end(channel, () => client.disconnect());
      const results = [channel.send('x'), channel.send(Buffer.from('x')), channel.sendJson({}), channel.sendJson(cyclic)];
      expect(results).toEqual([false, false, false, false]);
      channel.close(4000);
      channel.terminate();
      expect(client.sent).toEqual([]);
      expect(channel.signal.aborted).toBe(true);
    }
  });

  it.each(modes)('says false where the peer has sent its close frame, though the connection is still there (%s)', async (mode) => {
    const { port, channels } = await serve({ connect: ({ channel }) => void channel.send('ready') }, { mode });
    const client = await RawClient.connect(port);
    await client.nextFrame();
    const [channel] = channels.channels;
    client.write(closeFrame(1000));
    expect(await client.closeCode()).toBe(1000);
    expect(channel?.send('into the void')).toBe(false);
    expect(channel?.sendJson({})).toBe(false);
  });
});

describe('channel.close', () => {
  it.each([999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 3.5, '1000', null])('throws a TypeError for the code %s', async (code) => {
    const client = await connectTo({ receive: () => undefined });
    expect(() => client.channel.close(code as number)).toThrow(TypeError);
    expect(client.closed).toBeUndefined();
    expect(client.channel.send('still open')).toBe(true);
  });

  it.each([1000, 1001, 1003, 1011, 1014, 3000, 4999])('takes the code %s', async (code) => {
    const client = await connectTo({ receive: () => undefined });
    client.channel.close(code, 'why');
    expect(client.closed).toEqual({ code, reason: 'why' });
  });

  it('closes with 1000 by default, and cuts its reason at 123 bytes', async () => {
    const { port, channels } = await serve({ connect: ({ channel }) => void channel.send('ready') });
    const [plain, long] = [await WsClient.connect(port), await WsClient.connect(port)];
    await plain.next();
    await long.next();
    const [first, second] = channels.channels;
    first?.close();
    second?.close(4000, 'é'.repeat(100));
    expect(await plain.closed()).toEqual({ code: 1000, reason: '' });
    expect(await long.closed()).toEqual({ code: 4000, reason: 'é'.repeat(61) });
  });

  it.each(modes)('in connect refuses: 403, or the code after the 101 (%s)', async (mode) => {
    let disconnects = 0;
    const { port } = await serve(
      {
        connect: ({ channel }) => {
          channel.send('never seen before the 101');
          channel.close(4005, 'no');
        },
        disconnect: () => {
          disconnects += 1;
        },
      },
      { mode },
    );
    const client = await WsClient.connect(port);
    if (mode === 'accept') expect(await client.closed()).toEqual({ code: 4005, reason: 'no' });
    else expect(client.refused?.status).toBe(403);
    expect(disconnects).toBe(0);
  });

  it('drops a peer that never answers, half a minute later', async () => {
    const gone = deferred<number>();
    const { port, channels, clock } = await serve({
      connect: ({ channel }) => void channel.send('ready'),
      disconnect: ({ code }) => gone.resolve(code),
    });
    const client = await RawClient.connect(port);
    await client.nextFrame();
    const [channel] = channels.channels;
    channel?.close(4000);
    expect(await client.closeCode()).toBe(4000);
    await clock.advance(30_000);
    expect(await gone.promise).toBe(4000);
    expect(channels.channels.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('channel.terminate', () => {
  it.each(modes)('drops the connection without an answer while connect is pending (%s)', async (mode) => {
    const { port } = await serve({ connect: ({ channel }) => channel.terminate() }, { mode });
    const client = await RawClient.upgrade(port);
    await client.ended();
    if (mode === 'accept') expect(await client.status()).toBe(101);
    await expect(client.nextFrame()).rejects.toThrow();
  });
});

describe('a channel', () => {
  it('has an id of its own, and shows nothing else when it is printed or serialized', async () => {
    const channels = new ChannelServer({ receive: () => undefined });
    const [a, b] = [await connectTo(channels, { cookies: { key: 'secret' } }), await connectTo(channels)];
    expect(a.channel.id).not.toBe(b.channel.id);
    expect(JSON.parse(JSON.stringify(a.channel))).toEqual({ id: a.channel.id });
    expect(inspect(a.channel, { depth: 9, showHidden: true })).not.toContain('secret');
  });
});
