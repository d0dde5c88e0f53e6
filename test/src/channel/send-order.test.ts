import { Blob } from 'node:buffer';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Channel, ChannelServer } from '../../../entries/index.js';
import { opcodes, RawClient } from '../../support/raw-client.js';
import { modes, nextTurn, serve } from '../../support/serving.js';
import { WsClient } from '../../support/ws-client.js';

/**
 * Runs `use` for each message, from the second tick of sends on, when the channel may write beside ws; gives what the client gets of it.
 */
async function whatArrives(
  use: (channel: Channel, socket: WebSocket) => void,
  count: number,
  options: Parameters<typeof serve>[1] = {},
  perMessageDeflate = false,
): Promise<(string | Buffer)[]> {
  const { port } = await serve(
    {
      receive: ({ channel, text }) => {
        if (text === 'first') channel.send('first');
        else use(channel, channel.socket as WebSocket);
      },
    },
    options,
  );
  const client = await WsClient.connect(port, { perMessageDeflate });
  client.send('first');
  await client.next();
  client.send('use');
  return client.take(count);
}

describe.each(modes)('what the application sends on the socket itself (%s)', (mode) => {
  it('keeps its place among what the channel sends', async () => {
    const use = (channel: Channel, socket: WebSocket): void => {
      channel.send('a');
      socket.send('b');
      channel.send('c');
      socket.send(Buffer.from('d'), { binary: false });
      channel.send('e');
      channel.sendJson('f');
    };
    expect(await whatArrives(use, 6, { mode })).toEqual(['a', 'b', 'c', 'd', 'e', '"f"']);
  });

  it('keeps its place in the first tick too', async () => {
    const { port } = await serve(
      {
        receive: ({ channel }) => {
          channel.send('a');
          channel.socket?.send('b');
          channel.send('c');
          channel.socket?.send('d');
        },
      },
      { mode },
    );
    const client = await WsClient.connect(port);
    client.send('go');
    expect(await client.take(4)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('keeps its place where its bytes are waited for', async () => {
    const use = (channel: Channel, socket: WebSocket): void => {
      channel.send('a');
      socket.send(new Blob(['b']) as never, { binary: false });
      channel.send('c');
      channel.send('d');
    };
    expect(await whatArrives(use, 4, { mode })).toEqual(['a', 'b', 'c', 'd']);
  });

  it('stays one message where it comes in fragments', async () => {
    const use = (channel: Channel, socket: WebSocket): void => {
      channel.send('a');
      socket.send('b', { fin: false });
      socket.send('c', { fin: true });
      channel.send('d');
    };
    expect(await whatArrives(use, 3, { mode })).toEqual(['a', 'bc', 'd']);
  });

  it('is what ws makes of it where the channel sends between two fragments', async () => {
    const use = (channel: Channel, socket: WebSocket): void => {
      socket.send('a', { fin: false });
      channel.send('b');
      channel.send('c');
    };
    expect(await whatArrives(use, 2, { mode })).toEqual(['ab', 'c']);
  });

  it('keeps its place among long messages and pings', async () => {
    const long = 'x'.repeat(100_000);
    const { port } = await serve(
      {
        receive: ({ channel, text }) => {
          channel.send(text);
          if (text === 'first') return;
          channel.socket?.ping();
          channel.send(long);
          channel.send('after');
          channel.close(4_000, 'done');
        },
      },
      { mode },
    );
    const client = await RawClient.connect(port);
    client.write(Buffer.from([0x81, 0x85, 0, 0, 0, 0, ...Buffer.from('first')]));
    await client.nextFrame();
    client.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x78]));
    const kinds: number[] = [];
    for (let index = 0; index < 5; index += 1) kinds.push((await client.nextFrame()).opcode);
    expect(kinds).toEqual([opcodes.text, opcodes.ping, opcodes.text, opcodes.text, opcodes.close]);
    client.finish();
  });

  it('leaves before the socket is closed or terminated by the application', async () => {
    const { port } = await serve(
      {
        receive: ({ channel, text }) => {
          channel.send(text);
          if (text === 'close') channel.socket?.close(4_001);
          if (text === 'terminate') channel.socket?.terminate();
        },
      },
      { mode },
    );
    for (const text of ['close', 'terminate']) {
      const client = await WsClient.connect(port);
      client.send('first');
      await client.next();
      client.send(text);
      await client.closed();
      expect(client.received).toEqual(['first', text]);
    }
  });
});

describe('frames are written beside ws only where that is the same', () => {
  /** Serves sockets of a `ws` server as `accept` says; gives a client after its first two answers, which come in ticks of their own. */
  async function answered(accept: (channels: ChannelServer, socket: WebSocket, request: IncomingMessage) => void): Promise<WsClient> {
    const webSockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    const channels = new ChannelServer({ receive: ({ channel, text }) => void channel.send(text) });
    webSockets.on('connection', (socket, request) => accept(channels, socket, request));
    await once(webSockets, 'listening');
    const client = await WsClient.connect((webSockets.address() as AddressInfo).port);
    for (const text of ['a', 'b', 'c']) {
      client.send(text);
      expect(await client.next()).toBe(text);
    }
    await channels.close({ timeoutMs: 0 });
    webSockets.close();
    return client;
  }

  it('not where the application has a send of its own, which sees everything', async () => {
    const seen: unknown[] = [];
    await answered((channels, socket, request) => {
      const { send } = socket;
      socket.send = (...given: unknown[]) => {
        seen.push(given[0]);
        Reflect.apply(send, socket, given);
      };
      channels.accept(socket, request);
    });
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  it('not where the socket of the request is not the one that ws writes to', async () => {
    const other = new Socket();
    let written = 0;
    other._write = (_chunk, _encoding, done) => {
      written += 1;
      done();
    };
    await answered((channels, socket, request) => channels.accept(socket, Object.create(request, { socket: { value: other } })));
    expect(written).toBe(0);
  });
});

describe('a channel whose frames are compressed', () => {
  it('sends in order, with what the application sends by itself', async () => {
    const use = (channel: Channel, socket: WebSocket): void => {
      channel.send('a');
      socket.send('b');
      channel.send('c'.repeat(50_000));
      socket.send('d', { compress: false });
      channel.send('e');
    };
    const options = { upgrades: { ws: { perMessageDeflate: { threshold: 0 } } } };
    expect(await whatArrives(use, 5, options, true)).toEqual(['a', 'b', 'c'.repeat(50_000), 'd', 'e']);
  });
});

describe('many channels in one tick', () => {
  it('each get their own, in order, however their sends take turns', async () => {
    const channels: Channel[] = [];
    const { port } = await serve({ connect: ({ channel }) => void channels.push(channel) });
    const clients = await Promise.all(Array.from({ length: 20 }, () => WsClient.connect(port)));
    for (const channel of channels) channel.send(channel.id);
    await nextTurn();
    const own = await Promise.all(clients.map((client) => client.next()));
    for (let index = 0; index < 400; index += 1) for (const channel of channels) channel.send(`${channel.id} ${'x'.repeat(index)}`);
    for (const [which, client] of clients.entries()) {
      const expected = Array.from({ length: 400 }, (_, index) => `${String(own[which])} ${'x'.repeat(index)}`);
      expect(await client.take(400)).toEqual(expected);
    }
  });
});
