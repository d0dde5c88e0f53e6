import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { ChannelServer, subprotocol, type UpgradeServer, withUserFromToken } from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { deferred } from '../../support/deferred.js';
import { frame, RawClient } from '../../support/raw-client.js';
import { nextTurn } from '../../support/serving.js';
import { WsClient } from '../../support/ws-client.js';

const open: WebSocketServer[] = [];

afterEach(() => {
  for (const server of open.splice(0)) {
    for (const socket of server.clients) socket.terminate();
    server.close();
  }
});

/** A `WebSocketServer` of an application, on a free port. */
async function webSockets(options: object = {}): Promise<{ readonly wss: WebSocketServer; readonly port: number }> {
  const wss = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  open.push(wss);
  await once(wss, 'listening');
  return { wss, port: (wss.address() as AddressInfo).port };
}

const echo = () => new ChannelServer({ receive: ({ channel, text }) => void channel.send(text) });

describe('accept', () => {
  it('is bound, and leaves the listeners of the application alone', async () => {
    const channels = echo();
    const { wss, port } = await webSockets();
    const seen: string[] = [];
    const closed = deferred();
    wss.on('connection', (socket) => {
      socket.on('message', (data) => seen.push(`before: ${String(data)}`));
      socket.on('close', (code) => {
        seen.push(`close ${code}`);
        closed.resolve();
      });
    });
    wss.on('connection', channels.accept);
    wss.on('connection', (socket) => socket.on('message', (data) => seen.push(`after: ${String(data)}`)));
    const client = await WsClient.connect(port);
    client.send('hello');
    expect(await client.next()).toBe('hello');
    await client.close(4000);
    await closed.promise;
    expect(seen).toEqual(['before: hello', 'after: hello', 'close 4000']);
  });

  it.each(['nodebuffer', 'arraybuffer', 'fragments', 'blob'] as const)(
    'gives the bytes of messages in order where the application has set binaryType to %s',
    async (binaryType) => {
      const received: string[] = [];
      const gone = deferred();
      const channels = new ChannelServer({
        receive: ({ data, isBinary }) => void received.push(`${String(isBinary)} ${Buffer.from(data).toString()}`),
        disconnect: () => gone.resolve(),
      });
      const { wss, port } = await webSockets();
      wss.on('connection', (socket, request) => {
        socket.binaryType = binaryType as 'nodebuffer';
        channels.accept(socket, request);
      });
      const client = await WsClient.connect(port);
      client.send(Buffer.from('first'));
      client.send('second');
      client.send(Buffer.from('third'));
      await client.close();
      await gone.promise;
      expect(received).toEqual(['true first', 'false second', 'true third']);
    },
  );

  it('serves a socket once, though it is given twice', async () => {
    let connects = 0;
    const channels = new ChannelServer({
      connect: () => {
        connects += 1;
      },
      receive: ({ channel, text }) => void channel.send(text),
    });
    const { wss, port } = await webSockets();
    wss.on('connection', channels.accept);
    wss.on('connection', channels.accept);
    const client = await WsClient.connect(port);
    client.send('1');
    client.send('2');
    expect(await client.take(2)).toEqual(['1', '2']);
    expect(connects).toBe(1);
    expect(channels.channels.size).toBe(1);
  });

  it('serves what arrives after a late call, and leaves a socket alone that is gone already', async () => {
    const channels = echo();
    const { wss, port } = await webSockets();
    const connected = deferred<[WebSocket, IncomingMessage]>();
    wss.on('connection', (socket, request) => connected.resolve([socket, request]));
    const client = await WsClient.connect(port);
    const [socket, request] = await connected.promise;
    await nextTurn();
    channels.accept(socket, request);
    client.send('late');
    expect(await client.next()).toBe('late');
    const closed = once(socket, 'close');
    await client.close();
    await closed;
    const later = echo();
    later.accept(socket, request);
    await nextTurn();
    expect(later.channels.size).toBe(0);
  });

  it.each([
    ['nothing', undefined, undefined],
    ['a socket without its request', { send: (): void => undefined }, undefined],
    ['a request in place of the socket', { headers: {} }, { headers: {} }],
    [
      'a socket of a ws so old that it cannot pause',
      Object.assign(new EventEmitter(), { send: () => undefined, readyState: 1, OPEN: 1 }),
      { headers: {} },
    ],
  ])('throws a TypeError for %s', (_what, socket, request) => {
    expect(() => echo().accept(socket as unknown as WebSocket, request as unknown as IncomingMessage)).toThrow(TypeError);
  });

  it('loses none of the frames that come with the handshake', async () => {
    const { wss, port } = await webSockets();
    wss.on('connection', echo().accept);
    const client = await RawClient.connect(port, { head: Buffer.concat([frame('a'), frame('b')]) });
    expect((await client.nextFrame()).payload.toString()).toBe('a');
    expect((await client.nextFrame()).payload.toString()).toBe('b');
  });

  it('reports once that subprotocols with tokens are not guarded', async () => {
    const warnings: string[] = [];
    const tokens = { findById: async () => undefined };
    const channels = new ChannelServer(
      { connect: withUserFromToken({ tokens, from: subprotocol('token.') })(() => undefined) },
      { onWarning: ({ code }) => warnings.push(code) },
    );
    const { wss, port } = await webSockets();
    wss.on('connection', channels.accept);
    await WsClient.connect(port);
    await WsClient.connect(port);
    expect(warnings).toEqual(['ERR_SUBPROTOCOL_UNGUARDED']);
  });
});

describe('attach', () => {
  it('serves every connection, and ends with its server', async () => {
    const codes: number[] = [];
    const gone = deferred();
    const channels = new ChannelServer({
      receive: ({ channel, text }) => void channel.send(text),
      disconnect: ({ code }) => {
        codes.push(code);
        gone.resolve();
      },
    });
    const { wss, port } = await webSockets();
    channels.attach(wss);
    const client = await WsClient.connect(port);
    client.send('hello');
    expect(await client.next()).toBe('hello');
    await client.close();
    await gone.promise;
    expect(codes).toEqual([1000]);
    expect(channels.channels.size).toBe(0);
    const closed = once(wss, 'close');
    wss.close();
    await closed;
    await nextTurn();
    expect((await connectTo(channels)).refusal).toEqual({ status: 503 });
  });

  it('sends those away whom its server waits for, once that takes nobody any more', async () => {
    const channels = echo();
    const { wss, port } = await webSockets();
    channels.attach(wss);
    const client = await WsClient.connect(port);
    const closed = once(wss, 'close');
    wss.close();
    await channels.close();
    expect((await client.closed()).code).toBe(1012);
    await closed;
  });

  it.each([undefined, null, {}, 'wss'])('throws a TypeError for %o', (server) => {
    expect(() => echo().attach(server as unknown as WebSocketServer)).toThrow(TypeError);
  });

  it('tells it from an HTTP server, whose connections are none of it', () => {
    expect(() => echo().attach(createServer() as unknown as WebSocketServer)).toThrow(/^attach: .* write handleUpgrades\(server\)$/);
    const express = Object.assign(() => undefined, { prependListener: () => undefined });
    const koa = Object.assign(new EventEmitter(), { callback: () => () => undefined });
    for (const application of [express, koa] as unknown[] as UpgradeServer[]) {
      expect(() => echo().handleUpgrades(application)).toThrow(/^handleUpgrades: .* write handleUpgrades\(app\.listen\(port\)\)$/);
    }
    const sockets = new WebSocketServer({ noServer: true }) as unknown as UpgradeServer;
    expect(() => echo().handleUpgrades(sockets)).toThrow(/^handleUpgrades: .* write attach\(server\)$/);
  });

  it('throws where tokens travel in subprotocols, which the server would echo', async () => {
    const tokens = { findById: async () => undefined };
    const channels = new ChannelServer({ connect: withUserFromToken({ tokens, from: subprotocol('token.') })(() => undefined) });
    const { wss } = await webSockets();
    expect(() => channels.attach(wss)).toThrow(TypeError);
    const { wss: guarded } = await webSockets({ handleProtocols: () => false });
    expect(() => channels.attach(guarded)).not.toThrow();
  });
});
