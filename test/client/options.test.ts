import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ClientOptions, connectChannel } from '../../entries/client.js';
import { thrownBy } from '../support/site.js';
import { FakeSocket, makeClient } from './fake-socket.js';

const secret = 'a-secret-that-no-message-may-hold';
const WebSocket = FakeSocket as unknown as NonNullable<ClientOptions['WebSocket']>;

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('connectChannel', () => {
  it.each([
    ['pingMs', -1],
    ['pongMs', Number.NaN],
    ['minDelayMs', '5'],
    ['maxDelayMs', 2 ** 31],
    ['stableMs', Number.POSITIVE_INFINITY],
    ['connectTimeoutMs', {}],
    ['onMessage', {}],
    ['onClose', 1],
    ['renew', secret],
    ['ticket', secret],
    ['random', 0.5],
    ['WebSocket', {}],
    ['clock', {}],
    ['clock', secret],
    ['clock', { monotonic: () => 0 }],
    ['clock', { setTimer: () => () => undefined }],
    ['onmessage', () => undefined],
  ])('throws a TypeError that names the option %s, and no secret', (name, value) => {
    const error = thrownBy(() => connectChannel('wss://chat.example', { WebSocket, [name]: value }));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(new RegExp(`\\b${name}\\b`));
    expect(error.message).not.toContain(secret);
  });

  it.each(['', '/chat', 'ftp://chat.example', 'mailto:ann', `http//${secret}`])('throws a TypeError for the URL %j', (url) => {
    const error = thrownBy(() => connectChannel(url, { WebSocket }));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/\burl\b/);
    expect(error.message).not.toContain(secret);
  });

  it('throws a TypeError where the platform has no WebSocket and none is given', () => {
    vi.stubGlobal('WebSocket', undefined);
    expect(thrownBy(() => connectChannel('wss://chat.example'))).toMatchObject({ name: 'TypeError', message: /\bWebSocket\b/ });
  });

  it('takes the WebSocket of the platform', async () => {
    const opened: string[] = [];
    vi.stubGlobal(
      'WebSocket',
      class extends FakeSocket {
        constructor(url: string) {
          super(url);
          opened.push(url);
        }
      },
    );
    const client = connectChannel('wss://chat.example');
    await vi.waitFor(() => expect(opened).toEqual(['wss://chat.example/']));
    client.close();
  });

  it.each([
    ['https://chat.example/a?b=c', 'wss://chat.example/a?b=c'],
    ['http://chat.example:8080', 'ws://chat.example:8080/'],
    ['/rooms/1', 'wss://page.example/rooms/1'],
    ['?room=1', 'wss://page.example/chat/?room=1'],
    ['https://chat.example/a#b', 'wss://chat.example/a'],
    [new URL('ws://chat.example'), 'ws://chat.example/'],
  ])('connects to %s at %s', async (given, url) => {
    vi.stubGlobal('location', { href: 'https://page.example/chat/#top' });
    const urls: string[] = [];
    const Socket = class extends FakeSocket {
      constructor(to: string) {
        super(to);
        urls.push(to);
      }
    };
    const client = connectChannel(given, { WebSocket: Socket as unknown as NonNullable<ClientOptions['WebSocket']> });
    await vi.waitFor(() => expect(urls).toEqual([url]));
    client.close();
  });

  it('resolves a relative URL as the platform would: by the base of the page, which is another than its place in a srcdoc or beside <base>', async () => {
    vi.stubGlobal('location', { href: 'about:srcdoc' });
    vi.stubGlobal('document', { baseURI: 'https://page.example/chat/', addEventListener: () => undefined });
    const { newest } = makeClient({}, FakeSocket, 'rooms/1');
    expect((await newest()).url).toBe('wss://page.example/chat/rooms/1');
  });

  it('takes an option that is undefined for one that is not given', async () => {
    const { client, opened } = makeClient({ pingMs: undefined, renew: undefined, onMessage: undefined });
    (await opened()).receive('x');
    expect(client.state.name).toBe('open');
  });

  it('stops where no socket can be made of what it was given', async () => {
    const mistake = new DOMException('bad subprotocol', 'SyntaxError');
    const { client, clock } = makeClient({ protocols: 'a b' }, function refuse() {
      throw mistake;
    } as unknown as typeof FakeSocket);
    await clock.advance(100_000);
    expect(client.state).toMatchObject({ name: 'stopped', why: 'refused', error: mistake });
  });
});
