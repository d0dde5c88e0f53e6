import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { ChannelServer, type UpgradeOptions } from '../../../entries/index.js';
import { deferred } from '../../support/deferred.js';
import { listen } from '../../support/http-server.js';
import { expectProcessToLive, makeSite, thrownBy } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';

expectProcessToLive();

/** A server that tells each client its name. */
function named(name: string): ChannelServer {
  return new ChannelServer({ connect: (message) => void message.channel.send(name) }, makeSite().options);
}

describe('close', () => {
  it.each<[string, UpgradeOptions | undefined]>([
    ['a path', { path: '/chat' }],
    ['every path', undefined],
  ])('frees the route for %s, and a successor takes it', async (_name, options) => {
    const { server, port } = await listen();
    for (const name of ['first', 'second', 'third']) {
      const channels = named(name);
      channels.handleUpgrades(server, options);
      const client = await WsClient.connect(port, { path: '/chat' });
      expect(await client.next()).toBe(name);
      await channels.close();
      expect((await client.closed()).code).toBe(1012);
      expect(server.listenerCount('upgrade')).toBe(0);
    }
  });

  it('leaves the routes of others on the same server', async () => {
    const { server, port } = await listen();
    const [first, second] = [named('first'), named('second')];
    first.handleUpgrades(server, { path: '/first' });
    second.handleUpgrades(server, { path: '/second' });
    await first.close();
    expect(server.listenerCount('upgrade')).toBe(1);
    expect((await WsClient.connect(port, { path: '/first' })).refused?.status).toBe(404);
    expect(await (await WsClient.connect(port, { path: '/second' })).next()).toBe('second');
    await second.close();
    expect(server.listenerCount('upgrade')).toBe(0);
  });

  it('leaves no listener on any server that it was given', async () => {
    const server = createServer();
    const webSockets = new WebSocketServer({ noServer: true });
    const listenersOf = (): unknown[] =>
      [server, webSockets].map((emitter) => emitter.eventNames().map((name) => [name, emitter.listeners(name)]));
    const before = listenersOf();
    const channels = named('ours');
    channels.handleUpgrades(server, { path: '/a' });
    channels.handleUpgrades(server, { path: '/b' });
    channels.attach(webSockets);
    expect(listenersOf()).not.toEqual(before);
    await channels.close();
    expect(listenersOf()).toEqual(before);
  });

  it('refuses with 503 until it is done, and lets a successor take the path at once', async () => {
    const { server, port } = await listen();
    const left = deferred();
    const handlers = { connect: (message: { channel: { send(text: string): unknown } }): unknown => message.channel.send('first') };
    const first = new ChannelServer({ ...handlers, disconnect: () => left.promise }, makeSite().options);
    first.handleUpgrades(server, { path: '/chat' });
    const client = await WsClient.connect(port, { path: '/chat' });
    await client.next();
    const closed = first.close();
    await client.closed();
    expect((await WsClient.connect(port, { path: '/chat' })).refused?.status).toBe(503);
    const second = named('second');
    second.handleUpgrades(server, { path: '/chat' });
    expect(await (await WsClient.connect(port, { path: '/chat' })).next()).toBe('second');
    left.resolve();
    await closed;
    expect(await (await WsClient.connect(port, { path: '/chat' })).next()).toBe('second');
    await second.close();
    expect(server.listenerCount('upgrade')).toBe(0);
  });

  it('takes back its listeners also where handlers hang', async () => {
    const { server, port } = await listen();
    const { clock, options } = makeSite();
    const channels = new ChannelServer({ disconnect: () => new Promise(() => {}) }, options);
    channels.handleUpgrades(server);
    const client = await WsClient.connect(port);
    const closed = channels.close({ timeoutMs: 500 });
    await client.closed();
    await clock.advance(500);
    await closed;
    expect(server.listenerCount('upgrade')).toBe(0);
  });

  it('makes handleUpgrades and attach throw: a closed server serves nobody', async () => {
    const channels = named('ours');
    await channels.close();
    const server = createServer();
    expect(thrownBy(() => channels.handleUpgrades(server))).toBeInstanceOf(TypeError);
    expect(thrownBy(() => channels.attach(new WebSocketServer({ noServer: true })))).toBeInstanceOf(TypeError);
    expect(server.listenerCount('upgrade')).toBe(0);
  });
});
