import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import { type Duplex, PassThrough } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { type ChannelHandlers, ChannelServer, type UpgradeOptions } from '../../../entries/index.js';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { listen } from '../../support/http-server.js';
import { RawClient } from '../../support/raw-client.js';
import { nextTurn } from '../../support/serving.js';
import { codesOf, expectProcessToLive, makeSite } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';

expectProcessToLive();

type Listener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** An HTTP server with a route of ours, and neighbours before and after it. */
async function serve(
  upgrades: UpgradeOptions | undefined,
  neighbours: { readonly before?: (server: Server) => void; readonly after?: (server: Server) => void },
  handlers: ChannelHandlers = { connect: (message) => void message.channel.send('ours') },
) {
  const site = makeSite();
  const server = createServer();
  const channels = new ChannelServer(handlers, site.options);
  neighbours.before?.(server);
  channels.handleUpgrades(server, upgrades);
  neighbours.after?.(server);
  const { port } = await listen(server);
  return { ...site, channels, server, port };
}

const listener =
  (handle: Listener) =>
  (server: Server): void =>
    void server.on('upgrade', handle);

/** As Vite does it: takes what is its own and leaves the rest. */
function hotReload(path = '/hmr'): (server: Server) => void {
  const webSockets = new WebSocketServer({ noServer: true });
  return listener((request, socket, head) => {
    if (request.url === path) webSockets.handleUpgrade(request, socket, head, (client) => client.send('theirs'));
  });
}

const places = ['before', 'after'] as const;

async function timers(clock: { readonly pendingTimers: number }, count: number): Promise<void> {
  await eventually(() => expect(clock.pendingTimers).toBe(count));
}

describe('an upgrade that is left to others', () => {
  it.each(places)('gets 404 after ten seconds if nobody has answered (%s)', async (place) => {
    const { port, clock } = await serve({ path: '/chat' }, { [place]: listener(() => {}) });
    const client = await RawClient.upgrade(port, { path: '/nobody' });
    await timers(clock, 1);
    await clock.advance(9_999);
    expect(client.socket.bytesRead).toBe(0);
    await clock.advance(1);
    expect(await client.answer()).toMatch(/^HTTP\/1\.1 404 /);
    await client.ended();
    expect(clock.pendingTimers).toBe(0);
  });

  it.each(places)('and reset by its client leaves the process alive (%s)', async (place) => {
    const sockets: Duplex[] = [];
    const { port, clock } = await serve({ path: '/chat' }, { [place]: listener((_request, socket) => void sockets.push(socket)) });
    const client = await RawClient.upgrade(port, { path: '/nobody' });
    await timers(clock, 1);
    const [socket] = sockets as [Duplex];
    client.reset();
    socket.write('late'); // a write meets the reset where nobody reads
    await new Promise((resolve) => socket.once('close', resolve));
    expect(clock.pendingTimers).toBe(0);
  });

  it.each<[string, Listener]>([
    ['a whole answer', (_request, socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')],
    ['half an answer', (_request, socket) => void socket.write('HTTP/1.1 200 OK\r\n')],
    [
      'an answer that is corked',
      (_request, socket) => {
        socket.cork();
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
      },
    ],
    ['a reader of their own', (_request, socket) => void socket.on('data', () => {})],
    ['a pipe', (_request, socket) => void socket.pipe(new PassThrough())],
    [
      'a response that waits for something',
      (request, socket) => {
        const response = new ServerResponse(request);
        response.assignSocket(socket as never);
      },
    ],
  ])('is not disturbed where others have begun: %s', async (_name, begin) => {
    const sockets: Duplex[] = [];
    const neighbour: Listener = (request, socket, head) => {
      sockets.push(socket);
      setImmediate(begin, request, socket, head);
    };
    const { port, clock } = await serve({ path: '/chat' }, { after: listener(neighbour) });
    const client = await RawClient.upgrade(port, { path: '/theirs' });
    await timers(clock, 1);
    await nextTurn();
    const [socket] = sockets as [Duplex];
    const end = vi.spyOn(socket, 'end');
    const write = vi.spyOn(socket, 'write');
    await clock.advance(10_000);
    await nextTurn();
    expect(clock.pendingTimers).toBe(0);
    expect([write.mock.calls, end.mock.calls, socket.destroyed]).toEqual([[], [], false]);
    client.reset();
    socket.destroy();
  });

  it('is served by a neighbour that takes its time', async () => {
    const late = new WebSocketServer({ noServer: true });
    const answer = deferred();
    const neighbour: Listener = (request, socket, head) =>
      void answer.promise.then(() => late.handleUpgrade(request, socket, head, (client) => client.send('late')));
    const { port, clock } = await serve({ path: '/chat' }, { before: listener(neighbour) });
    const connecting = WsClient.connect(port, { path: '/late' });
    await timers(clock, 1);
    await clock.advance(9_999);
    answer.resolve();
    const client = await connecting;
    await clock.advance(60_000);
    expect(await client.next()).toBe('late');
    client.send('hello');
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  it('gets its 404 also where the last route has gone meanwhile', async () => {
    const { port, clock, channels } = await serve({ path: '/chat' }, { after: listener(() => {}) });
    const client = await RawClient.upgrade(port, { path: '/nobody' });
    await timers(clock, 1);
    await channels.close();
    await clock.advance(10_000);
    expect(await client.status()).toBe(404);
  });
});

describe('a route for every path', () => {
  it.each(places)('leaves alone what another listener has upgraded (%s), and serves the rest', async (place) => {
    const { port, channels, warnings, errors } = await serve(undefined, { [place]: hotReload() });
    const theirs = await WsClient.connect(port, { path: '/hmr' });
    expect(await theirs.next()).toBe('theirs');
    const ours = await WsClient.connect(port, { path: '/' });
    expect(await ours.next()).toBe('ours');
    expect(channels.channels.size).toBe(1);
    theirs.send('x');
    await nextTurn();
    expect([theirs.socket.readyState, warnings, errors]).toEqual([theirs.socket.OPEN, [], []]);
  });

  it.each(places)('writes no refusal into it either (%s)', async (place) => {
    const { port, warnings } = await serve(undefined, { [place]: hotReload() });
    const theirs = await WsClient.connect(port, { path: '/hmr', origin: 'https://evil.example' });
    expect(await theirs.next()).toBe('theirs');
    theirs.socket.ping();
    await once(theirs.socket, 'pong'); // a stray answer would have broken the frames
    expect(warnings).toEqual([]);
  });

  it.each(['connect', 'refusal', 'deadline', 'input'])('leaves alone what another listener upgrades later: %s', async (then) => {
    const begun = deferred();
    const going = deferred();
    const upgraded = deferred();
    const webSockets = new WebSocketServer({ noServer: true });
    const neighbour: Listener = (request, socket, head) =>
      void begun.promise.then(() =>
        webSockets.handleUpgrade(request, socket, head, (client) => {
          client.on('message', (data) => client.send(`theirs ${String(data)}`));
          upgraded.resolve();
        }),
      );
    const connect = async (): Promise<void> => {
      begun.resolve();
      await going.promise;
      if (then === 'refusal') throw new Error('refused');
    };
    const { port, channels, clock } = await serve(undefined, { after: listener(neighbour) }, { connect });
    const client = await WsClient.connect(port);
    await upgraded.promise;
    if (then === 'input') client.send('1');
    if (then === 'deadline') await clock.advance(5_000);
    else if (then !== 'input') going.resolve();
    await nextTurn();
    client.send('2');
    expect(await client.next()).toBe(then === 'input' ? 'theirs 1' : 'theirs 2');
    expect([channels.channels.size, client.socket.readyState]).toEqual([0, client.socket.OPEN]);
    await timers(clock, 0);
    going.resolve();
  });

  it('leaves alone what another listener upgrades while verifyClient waits', async () => {
    const asked = deferred();
    const verified = deferred();
    const webSockets = new WebSocketServer({ noServer: true });
    const neighbour: Listener = (request, socket, head) =>
      void asked.promise.then(() => webSockets.handleUpgrade(request, socket, head, (client) => client.send('theirs')));
    const verifyClient = async (): Promise<boolean> => {
      asked.resolve();
      await verified.promise;
      return true;
    };
    const { port, channels, clock } = await serve({ ws: { verifyClient: verifyClient as never } }, { after: listener(neighbour) });
    const client = await WsClient.connect(port);
    expect(await client.next()).toBe('theirs');
    verified.resolve();
    await timers(clock, 0);
    expect([channels.channels.size, client.socket.readyState]).toEqual([0, client.socket.OPEN]);
  });
});

describe('a neighbour that ends our handshake', () => {
  const ending: readonly [string, (server: Server) => void][] = [
    ['a WebSocketServer with server and path', (server) => void new WebSocketServer({ server, path: '/other' })],
    ['one that drops what is not its own', listener((_request, socket) => void socket.destroy())],
    ['one that refuses it', listener((_request, socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))],
    ['one that refuses it later', listener((_request, socket) => void setImmediate(() => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')))],
    ['one that drops it later', listener((_request, socket) => void setImmediate(() => socket.destroy()))],
  ];

  it.each(
    places.flatMap((place) => ending.flatMap(([name, add]) => ['/chat', undefined].map((path) => [name, place, path, add] as const))),
  )('(%s, %s, path %s) is told to onWarning', async (_name, place, path, add) => {
    const never = { connect: (): Promise<void> => new Promise(() => {}) };
    const { port, warnings, errors, channels, clock } = await serve({ path }, { [place]: add }, never);
    const client = await RawClient.upgrade(port, { path: '/chat' });
    await client.ended();
    await eventually(() => expect(codesOf(warnings)).toEqual(['ERR_UPGRADE_TAKEN']));
    expect(warnings[0]?.message).toMatch(/noServer/);
    expect([channels.channels.size, errors]).toEqual([0, []]);
    await timers(clock, 0);
  });

  it('is told also where it answers our path with a socket of its own', async () => {
    const { port, warnings } = await serve({ path: '/chat' }, { after: hotReload('/chat') });
    const client = await WsClient.connect(port, { path: '/chat' });
    expect(await client.next()).toBe('theirs');
    expect(codesOf(warnings)).toEqual(['ERR_UPGRADE_TAKEN']);
  });

  it('is not told of clients that leave, in whatever way', async () => {
    const begun: string[] = [];
    const connect = (message: { request: { url?: string | undefined } }): Promise<void> => {
      begun.push(message.request.url ?? '');
      return new Promise(() => {});
    };
    const { port, warnings, clock } = await serve({ path: '/chat' }, {}, { connect });
    for (const leave of ['finish', 'reset'] as const) {
      const client = await RawClient.upgrade(port, { path: '/chat' });
      await timers(clock, 1);
      client[leave]();
      await timers(clock, 0);
    }
    expect([begun, warnings]).toEqual([['/chat', '/chat'], []]);
  });
});

describe('two ChannelServers on one HTTP server', () => {
  it('take their paths and leave the others', async () => {
    const site = makeSite();
    const server = createServer();
    for (const name of ['a', 'b']) {
      const handlers = { connect: (message: { channel: { send(text: string): unknown } }): unknown => message.channel.send(name) };
      new ChannelServer(handlers, site.options).handleUpgrades(server, { path: `/${name}` });
    }
    const { port } = await listen(server);
    for (const name of ['a', 'b']) expect(await (await WsClient.connect(port, { path: `/${name}` })).next()).toBe(name);
    expect((await WsClient.connect(port, { path: '/c' })).refused?.status).toBe(404);
    expect(site.warnings).toEqual([]);
  });
});
