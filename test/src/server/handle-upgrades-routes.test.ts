import { createServer, type Server } from 'node:http';
import { describe, expect, it } from 'vitest';
import { type BaseMessage, ChannelServer, type UpgradeOptions } from '../../../entries/index.js';
import { listen } from '../../support/http-server.js';
import { RawClient } from '../../support/raw-client.js';
import { expectProcessToLive, makeSite, thrownBy } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';

expectProcessToLive();

/** An HTTP server with one route per name, each of which tells its clients its name. */
async function routes(all: Readonly<Record<string, UpgradeOptions | undefined>>): Promise<{ server: Server; port: number }> {
  const server = createServer();
  for (const [name, options] of Object.entries(all)) {
    const connect = (message: BaseMessage): unknown => message.channel.send(name);
    new ChannelServer({ connect }, makeSite().options).handleUpgrades(server, options);
  }
  const { port } = await listen(server);
  return { server, port };
}

describe('an upgrade', () => {
  it.each([
    ['/chat', 'chat'],
    ['/chat?room=1', 'chat'],
    ['/news', 'news'],
    ['/other', 'rest'],
    ['/chat/', 'rest'],
    ['/CHAT', 'rest'],
    ['/%63hat', 'rest'],
    ['/', 'rest'],
  ])('to %s goes to the route %s', async (path, name) => {
    const { port } = await routes({ rest: undefined, chat: { path: '/chat' }, news: { path: '/news' } });
    const client = await WsClient.connect(port, { path });
    expect(await client.next()).toBe(name);
  });

  it.each(['/', '/chat/', '/chatter', '/x?/chat', '//chat'])('to %s, which no route takes, gets 404', async (path) => {
    const { port } = await routes({ chat: { path: '/chat' }, news: { path: '/news' } });
    const client = await WsClient.connect(port, { path });
    expect(client.refused).toMatchObject({ status: 404, body: 'Not Found\n' });
  });

  it('that no route takes is left to another listener, which need not answer at once', async () => {
    const { server, port } = await routes({ chat: { path: '/chat' } });
    server.on('upgrade', (request, socket) => {
      if (request.url === '/mine') setImmediate(() => socket.end('HTTP/1.1 299 Mine\r\nContent-Length: 0\r\n\r\n'));
    });
    const client = await RawClient.upgrade(port, { path: '/mine' });
    expect(await client.status()).toBe(299);
  });

  it('that a route takes is not answered twice where there is another listener', async () => {
    const { server, port } = await routes({ chat: { path: '/chat' } });
    const seen: unknown[] = [];
    server.on('upgrade', (request) => void seen.push(request.url));
    const client = await WsClient.connect(port, { path: '/chat' });
    expect(await client.next()).toBe('chat');
    expect(seen).toEqual(['/chat']);
  });

  it('that is refused with 404 and reset by its client leaves the process alive', async () => {
    const { port } = await routes({ chat: { path: '/chat' } });
    const client = await RawClient.upgrade(port, { path: '/nowhere' });
    client.reset();
    await client.ended();
    expect((await WsClient.connect(port, { path: '/chat' })).refused).toBeUndefined();
  });
});

describe('two routes', () => {
  it.each<[string, UpgradeOptions | undefined]>([
    ['/chat', { path: '/chat' }],
    ['every path', undefined],
  ])('of one server for %s are a TypeError', (path, options) => {
    const server = createServer();
    const make = () => new ChannelServer({ receive: () => {} }).handleUpgrades(server, options);
    make();
    const error = thrownBy(make);
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain(path);
    expect(server.listenerCount('upgrade')).toBe(1);
  });

  it('of two servers are two things', () => {
    const make = () => new ChannelServer({ receive: () => {} }).handleUpgrades(createServer(), { path: '/chat' });
    make();
    expect(make).not.toThrow();
  });

  it('of one ChannelServer share its channels', async () => {
    const server = createServer();
    const channels = new ChannelServer({ connect: (message) => void message.channel.send(message.request.url ?? '') });
    channels.handleUpgrades(server, { path: '/a' });
    channels.handleUpgrades(server, { path: '/b' });
    const { port } = await listen(server);
    expect(await (await WsClient.connect(port, { path: '/a' })).next()).toBe('/a');
    expect(await (await WsClient.connect(port, { path: '/b' })).next()).toBe('/b');
    expect(channels.channels.size).toBe(2);
    expect(server.listenerCount('upgrade')).toBe(1);
  });
});
