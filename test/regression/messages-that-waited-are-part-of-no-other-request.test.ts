import { AsyncLocalStorage } from 'node:async_hooks';
import { createServer } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { ChannelServer, defineWrapper, dispatchOn, type ReceiveMessage, type UpgradeOptions, withOrdering } from '../../entries/index.js';
import { deferred } from '../support/deferred.js';
import { listen } from '../support/http-server.js';
import { frame, opcodes, RawClient } from '../support/raw-client.js';
import { serve } from '../support/serving.js';

const request = new AsyncLocalStorage<string>();

const lines: readonly [string, UpgradeOptions['ws']][] = [
  ['plain', {}],
  ['compressed', { perMessageDeflate: { threshold: 0, zlibDeflateOptions: { level: 0 } } }],
];

describe('messages that waited', () => {
  it.each(lines)('for a clogged line (%s) are no part of the request that clogged it', async (_name, ws) => {
    const handledIn: unknown[] = [];
    const { port, channels } = await serve({ receive: () => void handledIn.push(request.getStore()) }, { upgrades: { ws } });
    const client = await RawClient.connect(port, { headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } });
    client.socket.pause();
    const [channel] = channels.channels;
    request.run('of another one', () => channel?.send('a'.repeat(16_000_000)));
    await expect.poll(() => channel?.socket?.isPaused).toBe(true);
    client.write(frame('waits'));
    client.socket.resume();
    expect((await client.nextFrame()).opcode).toBe(opcodes.text);
    await expect.poll(() => handledIn).toEqual([undefined]);
  });

  it('until their channel was closed are no part of the request that closed it', async () => {
    const handledIn: unknown[] = [];
    const { port, channels } = await serve({
      receive: ({ channel, text }) => {
        handledIn.push(request.getStore());
        if (text === 'clogs') channel.send('a'.repeat(16_000_000));
      },
    });
    const client = await RawClient.connect(port);
    client.socket.pause();
    const [channel] = channels.channels;
    client.write(Buffer.concat([frame('clogs'), frame('waits')]));
    await expect.poll(() => channel?.socket?.isPaused).toBe(true);
    expect(handledIn).toEqual([undefined]);
    request.run('of another one', () => channel?.close());
    await expect.poll(() => handledIn).toEqual([undefined, undefined]);
  });

  it('until their channel had connected are no part of the request of its handshake', async () => {
    const handledIn: unknown[] = [];
    const connected = deferred();
    const handlers = { connect: () => connected.promise, receive: () => void handledIn.push(request.getStore()) };
    const channels = new ChannelServer(handlers);
    onTestFinished(() => channels.close());
    const http = createServer();
    new WebSocketServer({ server: http }).on('connection', (socket, handshake) =>
      request.run('of the handshake', () => channels.accept(socket, handshake)),
    );
    const client = await RawClient.connect((await listen(http)).port);
    client.write(Buffer.concat([frame('waits'), frame('waits'), frame('', opcodes.ping)]));
    expect((await client.nextFrame()).opcode).toBe(opcodes.pong);
    connected.resolve();
    await expect.poll(() => handledIn).toEqual([undefined, undefined]);
  });

  it('until it was known that an earlier one need not run alone are no part of its request', async () => {
    const begunIn: unknown[] = [];
    const found = deferred();
    const inRequest = defineWrapper('inRequest', async (_message: ReceiveMessage, next) => {
      begunIn.push(request.getStore());
      await found.promise;
      return request.run('of another one', next);
    });
    const receive = inRequest(dispatchOn('command', { say: () => undefined, leave: withOrdering(() => undefined) }));
    const { port } = await serve({ receive }, { concurrency: 2 });
    const client = await RawClient.connect(port);
    client.write(Buffer.concat([frame('{"command":"say"}'), frame('{"command":"say"}'), frame('', opcodes.ping)]));
    expect((await client.nextFrame()).opcode).toBe(opcodes.pong);
    found.resolve();
    await expect.poll(() => begunIn).toEqual([undefined, undefined]);
  });
});
