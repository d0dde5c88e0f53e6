import { createServer, type RequestListener, type Server } from 'node:http';
import { createSecureServer } from 'node:http2';
import { describe, expect, it } from 'vitest';
import { ChannelServer, type UpgradeOptions } from '../../../entries/index.js';
import { listen } from '../../support/http-server.js';
import { RawClient } from '../../support/raw-client.js';
import { expectProcessToLive, makeSite } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';

expectProcessToLive();

/** Answers with what it was asked. */
const echo: RequestListener = (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    response.setHeader('X-Asked', `${request.method} ${request.url} ${String(request.headers['x-own'])} ${body.length}`);
    response.end();
  });
};

async function serve(upgrades?: UpgradeOptions, server: Server = createServer(echo)) {
  const site = makeSite();
  const channels = new ChannelServer({ connect: (message) => void message.channel.send('ours') }, site.options);
  channels.handleUpgrades(server, upgrades);
  const { port } = await listen(server);
  return { ...site, channels, server, port };
}

/** A request that asks for another protocol, as HTTP clients do that would rather speak HTTP/2. */
function h2c(method: string, path: string, body = '', upgrade = 'h2c', persistence = 'keep-alive'): Buffer {
  const head = [
    `${method} ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    `Connection: Upgrade, HTTP2-Settings, ${persistence}`,
    `Upgrade: ${upgrade}`,
    'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA',
    'X-Own: mine',
    ...(body === '' ? [] : [`Content-Length: ${body.length}`]),
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}

const asked = (answer: string): string | undefined => /X-Asked: (.*)\r\n/.exec(answer)?.[1];

describe('an upgrade to something that is no WebSocket', () => {
  it.each<[string, UpgradeOptions | undefined, string]>([
    ['h2c, with a route for every path', undefined, 'h2c'],
    ['h2c, with a route for another path', { path: '/chat' }, 'h2c'],
    ['h2c, to the path of a route', { path: '/a' }, 'h2c'],
    ['TLS/1.0, HTTP/1.1', undefined, 'TLS/1.0, HTTP/1.1'],
    ['websockets', undefined, 'websockets'],
  ])('goes to the request listeners: %s', async (_name, upgrades, upgrade) => {
    const { port, channels } = await serve(upgrades);
    const client = await RawClient.open(port);
    client.write(h2c('GET', '/a?b=1', '', upgrade));
    const answer = await client.answer();
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(asked(answer)).toBe('GET /a?b=1 mine 0');
    expect(channels.channels.size).toBe(0);
  });

  it('keeps its body, however it comes', async () => {
    const { port } = await serve();
    for (const body of ['x', 'x'.repeat(300_000)]) {
      const client = await RawClient.open(port);
      const bytes = h2c('POST', '/a', body);
      client.write(bytes.subarray(0, bytes.length - 1));
      await new Promise((resolve) => setImmediate(resolve));
      client.write(bytes.subarray(bytes.length - 1));
      expect(asked(await client.answer())).toBe(`POST /a mine ${body.length}`);
    }
  });

  it('may be followed by others on its connection, and leaves no listeners behind', async () => {
    const { port, server } = await serve();
    const counts = new Set<number>();
    server.on('request', ({ socket }) => {
      counts.add(socket.eventNames().reduce((sum, name) => sum + socket.listenerCount(name), 0));
    });
    const client = await RawClient.open(port);
    for (let round = 0; round < 12; round += 1) {
      client.write(h2c('GET', `/${round}`));
      expect(asked(await client.answer())).toBe(`GET /${round} mine 0`);
    }
    expect(counts.size).toBe(1);
    client.sendHandshake(port);
    expect(await client.status()).toBe(101);
  });

  it('ends its connection where the client wants it ended', async () => {
    const { port } = await serve();
    const client = await RawClient.open(port);
    client.write(h2c('GET', '/last', '', 'h2c', 'close'));
    const answer = await client.answer();
    expect(asked(answer)).toBe('GET /last mine 0');
    expect(answer).toMatch(/\r\nConnection: close\r\n/i);
    await client.ended();
  });

  it('goes to the request listeners beside another upgrade listener, unless that takes it', async () => {
    const server = createServer(echo);
    server.on('upgrade', (request, socket) => {
      if (request.url === '/theirs') socket.end('HTTP/1.1 299 Theirs\r\n\r\n');
      if (request.url === '/later') {
        socket.on('error', () => {});
        setImmediate(() => socket.end('HTTP/1.1 298 Later\r\n\r\n'));
      }
    });
    const { port } = await serve(undefined, server);
    for (const [path, status] of [
      ['/ours', 200],
      ['/theirs', 299],
      ['/later', 298],
    ] as const) {
      const client = await RawClient.open(port);
      client.write(h2c('GET', path));
      expect(await client.status()).toBe(status);
    }
  });

  it('is refused where there is no request listener', async () => {
    for (const upgrades of [undefined, { path: '/chat' }]) {
      const { port } = await serve(upgrades, createServer());
      const client = await RawClient.open(port);
      client.write(h2c('GET', '/a'));
      expect([400, 404, 426]).toContain(await client.status());
    }
  });

  it('among which is a WebSocket is no opening handshake, and is refused', async () => {
    const { port } = await serve();
    const client = await RawClient.open(port);
    client.write(h2c('GET', '/a', '', 'websocket, h2c'));
    expect([400, 426]).toContain(await client.status());
  });
});

describe('handleUpgrades', () => {
  it('takes a server of http2 with allowHTTP1', async () => {
    const server = createSecureServer({ allowHTTP1: true });
    const channels = new ChannelServer({ receive: () => {} }, makeSite().options);
    channels.handleUpgrades(server, { path: '/chat' });
    expect(server.listenerCount('upgrade')).toBe(1);
    await channels.close();
    expect(server.listenerCount('upgrade')).toBe(0);
  });

  it('leaves plain requests alone', async () => {
    const { port } = await serve();
    expect((await fetch(`http://127.0.0.1:${port}/a`, { headers: { 'X-Own': 'mine' } })).headers.get('X-Asked')).toBe('GET /a mine 0');
    expect(await (await WsClient.connect(port)).next()).toBe('ours');
  });
});
