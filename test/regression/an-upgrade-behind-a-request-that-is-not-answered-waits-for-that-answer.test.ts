import { once } from 'node:events';
import type { RequestListener, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { ChannelServer } from '../../entries/index.js';
import { eventually } from '../support/eventually.js';
import { listen } from '../support/http-server.js';
import { RawClient } from '../support/raw-client.js';
import { nextTurn } from '../support/serving.js';
import { codesOf, expectProcessToLive, makeSite } from '../support/site.js';

expectProcessToLive();

const requests = ['/1', '/2'].map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join('');

async function laterTurn(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
}

const answerers: Readonly<Record<string, RequestListener>> = {
  'at once': (request, response) => void response.end(request.url),
  'after a while': (request, response) => void laterTurn().then(() => response.end(request.url)),
};

for (const way of ['handleUpgrades', 'handleUpgrade'] as const) {
  it(`an upgrade behind a request that is never answered is dropped after ten seconds, also where its client has left (${way})`, async () => {
    const site = makeSite();
    const channels = new ChannelServer({ connect: nextTurn }, site.options);
    const { server, port } = await listen();
    if (way === 'handleUpgrades') channels.handleUpgrades(server);
    else server.on('upgrade', (request, socket, head) => channels.handleUpgrade(request, socket, head));
    const [stays, leaves] = [await RawClient.open(port), await RawClient.open(port)];
    for (const client of [stays, leaves]) {
      client.socket.cork();
      client.write(Buffer.from(requests));
      client.sendHandshake(port);
      client.socket.uncork();
      await once(server, 'upgrade');
    }
    leaves.socket.destroy();
    await site.clock.advance(9_999);
    expect(await promisify(server.getConnections).call(server)).toBe(2);
    await site.clock.advance(1);
    await stays.ended();
    await eventually(async () => expect(await promisify(server.getConnections).call(server)).toBe(0));
    expect(site.clock.pendingTimers).toBe(0);
  });
}

it('an upgrade behind a request that is never answered is left to whoever else has taken its connection', async () => {
  const site = makeSite();
  const { server, port } = await listen();
  new ChannelServer({ connect: nextTurn }, site.options).handleUpgrades(server, { path: '/chat' });
  server.on('upgrade', (_request, socket: Duplex) => void socket.on('data', (chunk: Buffer) => void socket.write(chunk)));
  const client = await RawClient.open(port);
  client.write(Buffer.from(requests));
  client.sendHandshake(port, { path: '/other' });
  await once(server, 'upgrade');
  await site.clock.advance(20_000);
  client.write(Buffer.from('echo'));
  expect((await client.body(4)).toString()).toBe('echo');
});

const upgrades: Readonly<Record<string, (channels: ChannelServer, server: Server) => void>> = {
  handleUpgrades: (channels, server) => channels.handleUpgrades(server, { path: '/chat' }),
  'handleUpgrades beside another listener': (channels, server) => {
    channels.handleUpgrades(server, { path: '/chat' });
    server.on('upgrade', () => undefined);
  },
  handleUpgrade: (channels, server) => void server.on('upgrade', (...upgrade) => channels.handleUpgrade(...upgrade)),
};

for (const [way, serveUpgrades] of Object.entries(upgrades)) {
  it(`an upgrade behind a request whose answer has ended the connection is told of to nobody (${way})`, async () => {
    const site = makeSite();
    const { server, port } = await listen();
    server.on('request', (_request, response) => void Object.assign(response, { shouldKeepAlive: false }).end());
    serveUpgrades(new ChannelServer({ connect: nextTurn }, site.options), server);
    const client = await RawClient.open(port);
    client.socket.cork();
    client.write(Buffer.from('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1')); // answered before its body is read
    client.sendHandshake(port, { path: '/chat' });
    client.socket.uncork();
    await once(server, 'upgrade');
    expect(await client.status()).toBe(200);
    await client.ended();
    expect(codesOf(site.warnings)).toEqual([]);
  });
}

for (const [name, answerer] of Object.entries(answerers)) {
  for (const way of ['handleUpgrades', 'handleUpgrade'] as const) {
    it.each([
      ['/chat', 101],
      ['/other', 404],
    ])(`an upgrade behind requests that are answered ${name} is answered after them (${way}, %s)`, async (path, status) => {
      const site = makeSite();
      const channels = new ChannelServer({ connect: nextTurn }, site.options);
      const { server, port } = await listen();
      server.on('request', answerer);
      if (way === 'handleUpgrades') channels.handleUpgrades(server, { path: '/chat' });
      else server.on('upgrade', (request, socket, head) => channels.handleUpgrade(request, socket, head, { path: '/chat' }));
      const client = await RawClient.open(port);
      client.socket.cork();
      client.write(Buffer.from(requests));
      client.sendHandshake(port, { path });
      client.socket.uncork();
      for (const answered of ['/1', '/2']) {
        expect(await client.status()).toBe(200);
        expect((await client.body(2)).toString()).toBe(answered);
      }
      expect(await client.status()).toBe(status);
      expect(codesOf(site.warnings)).toEqual([]);
    });
  }
}
