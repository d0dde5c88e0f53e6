import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import {
  anonymousUser,
  type BaseMessage,
  ChannelServer,
  type ChannelServerOptions,
  DenyConnection,
  type HasUser,
  tokenIdOf,
  type UpgradeOptions,
  withAuthenticatedUser,
  withUserFromToken,
} from '../../../entries/index.js';
import { eventually } from '../../support/eventually.js';
import { listen } from '../../support/http-server.js';
import { RawClient } from '../../support/raw-client.js';
import { alice, aliceKey, codesOf, expectProcessToLive, makeSite, type Site, thrownBy } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';

expectProcessToLive();

/** A server whose connect handler tells the client who it is. */
async function serve(site: Site = makeSite(), options: ChannelServerOptions = {}, upgrades?: UpgradeOptions) {
  const users: unknown[] = [];
  const connect = withUserFromToken({ tokens: site.tokens })((message: BaseMessage & HasUser) => {
    users.push(message.user);
    message.channel.sendJson({ user: message.user.id });
  });
  const receive = (message: { channel: { send(text: string): boolean }; text: string }): unknown => message.channel.send(message.text);
  const channels = new ChannelServer({ connect, receive }, { ...site.options, ...options });
  const { server, port } = await listen();
  channels.handleUpgrades(server, upgrades);
  return { ...site, channels, server, port, users };
}

describe('a client of the post', () => {
  /** What the Android example sends (nv-websocket-client), byte for byte: no Origin, a lower-case cookie header, a trailing semicolon. */
  const handshake = (port: number, cookie = `key=${aliceKey};`): string =>
    [
      'GET / HTTP/1.1',
      `Host: 127.0.0.1:${port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
      'Sec-WebSocket-Extensions: permessage-deflate',
      `cookie: ${cookie}`,
      '',
      '',
    ].join('\r\n');

  it.each([`key=${aliceKey};`, `key=${aliceKey}`])('is let in and identified with one look-up (%s)', async (cookie) => {
    const { port, users, lookUps, channels } = await serve();
    const client = await RawClient.open(port);
    client.write(Buffer.from(handshake(port, cookie)));
    expect(await client.status()).toBe(101);
    expect(JSON.parse(String((await client.nextFrame()).payload))).toEqual({ user: 'alice' });
    expect(users).toEqual([alice]);
    expect(lookUps).toEqual([[tokenIdOf(aliceKey)]]);
    expect([...channels.channels].map(({ user }) => user)).toEqual([alice]);
  });

  it('is served with permessage-deflate where the server offers it', async () => {
    const { port } = await serve(makeSite(), {}, { ws: { perMessageDeflate: true } });
    const client = await RawClient.open(port);
    client.write(Buffer.from(handshake(port)));
    expect(await client.answer()).toMatch(/^HTTP\/1\.1 101[\s\S]*Sec-WebSocket-Extensions: permessage-deflate/);
  });
});

describe('a handshake that is none', () => {
  it.each<[string, Record<string, string>]>([
    ['another version', { 'Sec-WebSocket-Version': '7' }],
    ['no key', { 'Sec-WebSocket-Key': 'short' }],
    ['another upgrade', { Upgrade: 'h2c' }],
    ['a subprotocol that is none', { 'Sec-WebSocket-Protocol': 'a b' }],
    ['a padded token for a subprotocol', { 'Sec-WebSocket-Protocol': 'token.YWJj==' }],
    ['one subprotocol twice', { 'Sec-WebSocket-Protocol': 'chat, chat' }],
  ])('for %s is refused as a bad request and reaches no handler', async (_name, headers) => {
    const { port, users, lookUps } = await serve();
    const client = await RawClient.upgrade(port, { headers: { ...headers, cookie: `key=${aliceKey}` } });
    expect([400, 426]).toContain(await client.status());
    expect([users, lookUps]).toEqual([[], []]);
  });

  it('for its method is refused and reaches no handler', async () => {
    const { port, users } = await serve();
    const client = await RawClient.open(port);
    client.write(
      Buffer.from(
        `POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
      ),
    );
    expect(await client.status()).toBe(405);
    expect(users).toEqual([]);
  });
});

describe('a refusal before the 101', () => {
  it('is an HTTP status with a constant body', async () => {
    const site = makeSite();
    const connect = withUserFromToken({ tokens: site.tokens })(withAuthenticatedUser(() => {}));
    const channels = new ChannelServer({ connect }, site.options);
    const { server, port } = await listen();
    channels.handleUpgrades(server);
    const client = await WsClient.connect(port, { cookie: `key=${'f'.repeat(40)}` });
    expect(client.refused).toMatchObject({ status: 401, body: 'Unauthorized\n' });
    expect(client.refused?.headers['www-authenticate']).toBe('Bearer');
    expect(site.errors).toEqual([]);
  });

  it('is the status that DenyConnection says, and 403 by itself', async () => {
    for (const [options, status] of [
      [{}, 403],
      [{ status: 410, reason: 'secret reason' }, 410],
    ] as const) {
      const channels = new ChannelServer({
        connect: () => {
          throw new DenyConnection(options);
        },
      });
      const { server, port } = await listen();
      channels.handleUpgrades(server);
      const { refused } = await WsClient.connect(port);
      expect(refused?.status).toBe(status);
      expect(refused?.body).not.toContain('secret');
    }
  });

  it('says when to try again where nobody can tell who it is', async () => {
    const site = makeSite();
    vi.spyOn(site.tokens, 'findById').mockRejectedValue(new Error('down'));
    const { port, users } = await serve(site);
    const { refused } = await WsClient.connect(port, { cookie: `key=${aliceKey}` });
    expect(refused?.status).toBe(503);
    expect(Number(refused?.headers['retry-after'])).toBeGreaterThan(0);
    expect(users).toEqual([]);
    expect(codesOf(site.errors)).toEqual(['ERR_LOOKUP_FAILED']);
  });
});

describe('an origin on a real socket', () => {
  it.each([
    'https://app.example.com.evil.com',
    'https://app.example.com@evil.com',
    'null',
    'file://',
    'https://app.example.com.',
    'https://app.example.com, https://evil.com',
    'chrome-extension://x',
    `https://${'a'.repeat(8_192)}.com`,
    'https://app.example.c\u00f6m',
  ])('that is not ours (%s) is refused with 403, and no repository is asked', async (origin) => {
    const { port, users, lookUps, warnings } = await serve(makeSite(), { origins: ['capacitor://localhost'] });
    const client = await RawClient.upgrade(port, { headers: { Host: 'app.example.com', Origin: origin, cookie: `key=${aliceKey}` } });
    expect(await client.status()).toBe(403);
    expect([users, lookUps]).toEqual([[], []]);
    expect(codesOf(warnings)).toEqual(['ERR_ORIGIN_REFUSED']);
    expect(warnings[0]?.message.length).toBeLessThan(600);
  });

  it('sent twice is refused with 403', async () => {
    const { port, lookUps } = await serve();
    const client = await RawClient.upgrade(port, { headers: { Origin: `http://127.0.0.1:${port}\r\nOrigin: https://evil.com` } });
    expect(await client.status()).toBe(403);
    expect(lookUps).toEqual([]);
  });

  it.each(['HTTPS://APP.example.com', 'https://app.example.com:443', 'https://app.example.com', 'capacitor://localhost'])(
    'that is ours (%s) is let in',
    async (Origin) => {
      const { port } = await serve(makeSite(), { origins: ['capacitor://localhost'] });
      const client = await RawClient.upgrade(port, { headers: { Host: 'app.example.com', Origin } });
      expect(await client.status()).toBe(101);
    },
  );
});

describe('cookies on a real socket', () => {
  it.each<[string, unknown]>([
    [`key=${aliceKey}; key=${aliceKey}`, alice],
    [`monkey=1; session_key=2`, anonymousUser],
    [`key=${aliceKey}; key=${'f'.repeat(40)}`, anonymousUser],
    ['key=%E0%A4%A', anonymousUser],
    ['key=%00', anonymousUser],
    ['key=', anonymousUser],
    [`key=${aliceKey}\u00f0\u009f\u0094\u0091`, anonymousUser],
    ['__proto__=1; constructor=2; toString=3; key[__proto__][admin]=1', anonymousUser],
  ])('%j give %o', async (cookie, user) => {
    const { port, users, lookUps, errors } = await serve();
    const client = await RawClient.upgrade(port, { headers: { cookie } });
    expect(await client.status()).toBe(101);
    expect(users).toEqual([user]);
    expect(lookUps).toHaveLength(user === alice ? 1 : 0);
    expect(errors).toEqual([]);
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
  });

  it('in two headers count as one', async () => {
    const { port, users } = await serve();
    const client = await RawClient.upgrade(port, { headers: { cookie: `a=1\r\nCookie: key=${aliceKey}` } });
    expect(await client.status()).toBe(101);
    expect(users).toEqual([alice]);
  });
});

describe('handleUpgrades', () => {
  it('adds one listener, whatever comes and goes', async () => {
    const { server, port, channels, clock } = await serve();
    expect(server.listenerCount('upgrade')).toBe(1);
    for (let round = 0; round < 3; round += 1) {
      const client = await WsClient.connect(port);
      await client.close();
    }
    await eventually(() => expect(channels.channels.size).toBe(0));
    expect(server.listenerCount('upgrade')).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it.each<[string, unknown]>([
    ['path', { path: 'chat' }],
    ['path', { path: /chat/ }],
    ['protocols', { protocols: 'chat' }],
    ['protocols', { protocols: [1] }],
    ['protocols', { protocols: Array(1) }],
    ['ws.port', { ws: { port: 1 } }],
    ['ws.server', { ws: { server: {} } }],
    ['ws.path', { ws: { path: '/' } }],
    ['paths', { paths: ['/'] }],
  ])('throws a TypeError for %s', (name, options) => {
    const error = thrownBy(() => new ChannelServer({ receive: () => {} }).handleUpgrades(createServer(), options as never));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain(name);
  });

  it('throws a TypeError for what is no server', () => {
    expect(thrownBy(() => new ChannelServer({ receive: () => {} }).handleUpgrades({} as never))).toBeInstanceOf(TypeError);
  });

  it('answers early frames after what connect sent', async () => {
    const { port } = await serve();
    const client = await WsClient.connect(port, { cookie: `key=${aliceKey}` });
    client.send('hello');
    expect(await client.nextJson()).toEqual({ user: 'alice' });
    expect(await client.next()).toBe('hello');
  });
});

describe('a server of ws beside it', () => {
  it('serves its own path', async () => {
    const { server, port } = await serve(makeSite(), {}, { path: '/chat' });
    const other = new WebSocketServer({ noServer: true });
    server.on('upgrade', (request, socket, head) => {
      if (request.url === '/other') other.handleUpgrade(request, socket, head, (client) => client.send('other'));
    });
    const client = await WsClient.connect(port, { path: '/other' });
    expect(await client.next()).toBe('other');
    const chat = await WsClient.connect(port, { path: '/chat' });
    expect(await chat.nextJson()).toEqual({ user: null });
  });
});
