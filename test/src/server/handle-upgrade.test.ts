import { createServer } from 'node:http';
import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { type ChannelHandlers, ChannelServer, type UpgradeOptions } from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { eventually } from '../../support/eventually.js';
import { listen } from '../../support/http-server.js';
import { RawClient } from '../../support/raw-client.js';
import { nextTurn } from '../../support/serving.js';
import { codesOf, expectProcessToLive, makeSite, thrownBy } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';

expectProcessToLive();

/** Tells each client the parameters of its path, at connect and with each message. */
const telling: ChannelHandlers = {
  connect: (message) => void message.channel.sendJson(message.request.params),
  receive: (message) => void message.channel.sendJson([message.request.params, Object.isFrozen(message.request.params)]),
};

/** A server with a dispatcher of its own. */
async function dispatch(handlers: ChannelHandlers, options?: UpgradeOptions) {
  const site = makeSite();
  const channels = new ChannelServer(handlers, site.options);
  const { handleUpgrade } = channels;
  const { server, port } = await listen();
  server.on('upgrade', (request, socket, head) => handleUpgrade(request, socket, head, options));
  return { ...site, channels, server, port };
}

describe('a path with groups', () => {
  it('gives message.request.params, in connect and after it', async () => {
    const server = createServer();
    new ChannelServer(telling, makeSite().options).handleUpgrades(server, { path: '/rooms/:room/:rest*' });
    const { port } = await listen(server);
    const client = await WsClient.connect(port, { path: '/rooms/caf%C3%A9/a/b?room=x' });
    const params = { room: 'café', rest: 'a/b' };
    expect(await client.nextJson()).toEqual(params);
    client.send('x');
    expect(await client.nextJson()).toEqual([params, true]);
    expect((await WsClient.connect(port, { path: '/rooms' })).refused?.status).toBe(404);
  });

  it('comes after one path and before every path, and of several the first counts', async () => {
    const server = createServer();
    for (const path of [undefined, '/:first', '/:second', '/chat', '/a/:x']) {
      const connect: ChannelHandlers['connect'] = (message) => void message.channel.send(path ?? 'every');
      new ChannelServer({ connect }, makeSite().options).handleUpgrades(server, { path });
    }
    const { port } = await listen(server);
    for (const [path, taker] of [
      ['/chat', '/chat'],
      ['/other', '/:first'],
      ['/a/b', '/a/:x'],
      ['/a/b/c', 'every'],
    ] as const) {
      expect(await (await WsClient.connect(port, { path })).next()).toBe(taker);
    }
  });

  it('is a TypeError where it is none, or there already', () => {
    const server = createServer();
    const add = (path: string) => () => new ChannelServer(telling).handleUpgrades(server, { path });
    add('/:room')();
    for (const path of ['/:room', '/:', '/(', 'rooms/:id']) expect(thrownBy(add(path))).toBeInstanceOf(TypeError);
    expect(add('/:other')).not.toThrow();
  });
});

describe('message.request.params', () => {
  it('are empty without groups, and in tests', async () => {
    const client = await connectTo(telling);
    await client.send('x');
    expect(client.sentJson).toEqual([{}, [{}, true]]);
  });

  it('are empty with accept, or what a framework has found', async () => {
    const server = createServer();
    const channels = new ChannelServer(telling, makeSite().options);
    const webSockets = new WebSocketServer({ server });
    webSockets.on('connection', (socket, request) => {
      if (request.url === '/found') Object.assign(request, { params: { room: 'found' } });
      channels.accept(socket, request);
    });
    const { port } = await listen(server);
    expect(await (await WsClient.connect(port)).nextJson()).toEqual({});
    const found = await WsClient.connect(port, { path: '/found' });
    expect(await found.nextJson()).toEqual({ room: 'found' });
    found.send('x');
    expect(await found.nextJson()).toEqual([{ room: 'found' }, true]);
    webSockets.close();
  });
});

describe('handleUpgrade', () => {
  it('serves what a dispatcher of the application hands over, bound', async () => {
    const { port, channels } = await dispatch(telling);
    const client = await WsClient.connect(port, { path: '/anything' });
    expect(await client.nextJson()).toEqual({});
    expect(channels.channels.size).toBe(1);
  });

  it('takes the options of handleUpgrades; another path gets 404', async () => {
    const { port } = await dispatch(telling, { path: '/rooms/:id', protocols: ['two'] });
    const client = await WsClient.connect(port, { path: '/rooms/7', protocols: ['one', 'two'] });
    expect(client.socket.protocol).toBe('two');
    expect(await client.nextJson()).toEqual({ id: '7' });
    expect((await WsClient.connect(port, { path: '/rooms' })).refused?.status).toBe(404);
  });

  it.each(['13', ' 13', '8'])('takes version %j, as ws does', async (version) => {
    const { port, channels } = await dispatch(telling);
    const client = await RawClient.upgrade(port, { headers: { 'Sec-WebSocket-Version': version } });
    expect(await client.status()).toBe(101);
    expect(channels.channels.size).toBe(1);
  });

  it('refuses what is no opening handshake, and everything once it is closed', async () => {
    const { port, channels } = await dispatch(telling);
    const client = await RawClient.upgrade(port, { headers: { 'Sec-WebSocket-Version': '7' } });
    expect(await client.status()).toBe(400);
    await channels.close();
    expect((await WsClient.connect(port)).refused?.status).toBe(503);
  });

  it('writes nothing where somebody else has answered, and warns where a path was given', async () => {
    const { port, server, warnings } = await dispatch(telling, { path: '/a' });
    const webSockets = new WebSocketServer({ noServer: true });
    server.on('upgrade', (request, socket, head) => webSockets.handleUpgrade(request, socket, head, (client) => client.send('theirs')));
    const client = await WsClient.connect(port, { path: '/a' });
    expect(await client.next()).toBe('theirs');
    expect(codesOf(warnings)).toEqual(['ERR_UPGRADE_TAKEN']);
  });

  it('writes nothing to a stream that stands in for a socket on which somebody else has answered', async () => {
    const { options, warnings } = makeSite();
    const channels = new ChannelServer({ connect: () => nextTurn() }, options);
    const { server, port } = await listen();
    server.on('upgrade', (request, raw, head) => {
      const standIn = new Duplex({ read: () => undefined, write: (chunk, _encoding, done) => raw.write(chunk, done) });
      channels.handleUpgrade(request, standIn, head, { path: '/' });
      raw.write('HTTP/1.1 418 Taken\r\n\r\n');
    });
    const client = await RawClient.upgrade(port);
    expect(await client.status()).toBe(418);
    await eventually(() => expect(codesOf(warnings)).toEqual(['ERR_UPGRADE_TAKEN']));
    expect(channels.channels.size).toBe(0);
    client.finish();
  });

  it('leaves alone what another server of channels has been given, and warns where a path was given', async () => {
    const { port, server, channels } = await dispatch({ connect: (message) => nextTurn().then(() => void message.channel.send('first')) });
    const { options, warnings } = makeSite();
    const second = new ChannelServer({ connect: (message) => nextTurn().then(() => void message.channel.send('second')) }, options);
    server.on('upgrade', (request, socket, head) => second.handleUpgrade(request, socket, head, { path: '/a' }));
    const client = await WsClient.connect(port, { path: '/a' });
    expect(await client.next()).toBe('first');
    expect([channels.channels.size, second.channels.size]).toEqual([1, 0]);
    expect(codesOf(warnings)).toEqual(['ERR_UPGRADE_TAKEN']);
  });

  it('survives a client that resets its connection', async () => {
    const sockets: Duplex[] = [];
    const never = { connect: (): Promise<void> => new Promise(() => {}) };
    const { port, server, clock } = await dispatch(never);
    server.on('upgrade', (_request, socket) => void sockets.push(socket));
    const client = await RawClient.upgrade(port);
    while (clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve));
    const closed = new Promise((resolve) => sockets[0]?.once('close', resolve));
    client.reset();
    await closed;
    expect(clock.pendingTimers).toBe(0);
  });

  it('blames nobody where the client has reset its connection before it is handed over', async () => {
    const { options, warnings } = makeSite();
    const { handleUpgrade } = new ChannelServer(telling, options);
    const { server, port } = await listen();
    const handedOver = new Promise<void>((resolve) => {
      server.on('upgrade', (request, socket, head) => {
        socket.on('error', () => {});
        socket.once('close', () => resolve(handleUpgrade(request, socket, head)));
        void client.then((each) => each.reset());
      });
    });
    const client = RawClient.upgrade(port);
    await handedOver;
    expect(codesOf(warnings)).toEqual([]);
  });

  it.each<[string, readonly unknown[]]>([
    ['no arguments', []],
    ['no socket', [{ headers: {} }, {}, Buffer.alloc(0)]],
    ['no head', [{ headers: {} }, { write() {} }]],
    ['an unknown option', [{ headers: {} }, { write() {} }, Buffer.alloc(0), { paths: [] }]],
    ['a path that is none', [{ headers: {} }, { write() {} }, Buffer.alloc(0), { path: '/(' }]],
  ])('throws a TypeError for %s', (_name, given) => {
    const { handleUpgrade } = new ChannelServer(telling);
    const error = thrownBy(() => Reflect.apply(handleUpgrade, undefined, given));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain('handleUpgrade: ');
  });
});
