import { createServer, IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import {
  authorization,
  ChannelServer,
  container,
  fromHttpSession,
  fromToken,
  TOKEN_REPOSITORY,
  withUserFrom,
  withUserFromToken,
} from '../../../entries/index.js';
import { listen } from '../../support/http-server.js';
import { aliceKey as key, makeSite } from '../../support/site.js';

/** The request of a route, or of a handshake. */
function request(headers: Record<string, string>, method = 'GET'): IncomingMessage {
  return Object.assign(new IncomingMessage(new Socket()), { headers, url: '/', method });
}

describe('channels.identify', () => {
  it('finds the user of a request by the sources of the server, and there is no channel of it', async () => {
    const { tokens, sessions, users, options } = makeSite();
    const identifies = withUserFrom(fromToken({ tokens, from: authorization() }), fromHttpSession({ sessions, users }));
    const channels = new ChannelServer({ connect: identifies(() => {}) }, options);
    const byToken = await channels.identify(request({ authorization: `Bearer ${key}` }));
    expect(byToken).toMatchObject({ user: { id: 'alice' }, authentication: { outcome: 'ok', source: 'token', carrier: 'authorization' } });
    const bySession = await channels.identify(request({ cookie: `sessionid=${sessions.create('bob')}` }));
    expect(bySession).toMatchObject({ user: { id: 'bob' }, authentication: { outcome: 'ok', source: 'http-session' } });
    expect(await channels.identify(request({}))).toMatchObject({ user: { id: null }, authentication: { outcome: 'missing' } });
    expect([channels.channels.size, channels.channels.ofUser('alice')]).toEqual([0, []]);
  });

  it('goes by the sources of a later slot where connect has none', async () => {
    const { tokens, options } = makeSite();
    const channels = new ChannelServer({ connect: () => {}, receive: withUserFromToken({ tokens })(() => {}) }, options);
    expect((await channels.identify(request({ cookie: `key=${key}` }))).user.id).toBe('alice');
  });

  it('has the container and the clock of the server', async () => {
    const { tokens, clock, options } = makeSite();
    const own = container.createChildContainer();
    own.register(TOKEN_REPOSITORY, { useValue: tokens });
    const channels = new ChannelServer({ connect: withUserFromToken(() => {}) }, { ...options, container: own });
    const { key: short } = await tokens.issue('alice', { ttlMs: 1_000 });
    expect((await channels.identify(request({ cookie: `key=${short}` }))).user.id).toBe('alice');
    await clock.advance(1_000);
    expect((await channels.identify(request({ cookie: `key=${short}` }))).authentication.outcome).toBe('expired');
  });

  it('rejects where it cannot be told who it is, at the latest after connectTimeoutMs', async () => {
    const { clock, options } = makeSite();
    const findById = vi.fn<() => Promise<undefined>>().mockRejectedValueOnce(new Error('down'));
    const channels = new ChannelServer(
      { connect: withUserFromToken({ tokens: { findById } })(() => {}) },
      { ...options, connectTimeoutMs: 50 },
    );
    await expect(channels.identify(request({ cookie: `key=${key}` }))).rejects.toMatchObject({ code: 'ERR_LOOKUP_FAILED' });
    findById.mockReturnValue(new Promise(() => {}));
    const hung = expect(channels.identify(request({ cookie: `key=${key}` }))).rejects.toMatchObject({ code: 'ERR_LOOKUP_TIMEOUT' });
    await clock.advance(50);
    await hung;
  });

  it('applies the origin rule of the server to upgrades and to whatever may change something, before anything is looked up', async () => {
    const { tokens, lookUps, options } = makeSite();
    const handlers = { connect: withUserFromToken({ tokens })(() => {}) };
    const channels = new ChannelServer(handlers, options);
    const lenient = new ChannelServer(handlers, { ...options, origins: ['https://app.example'] });
    const headers = { host: 'api.example', origin: 'https://app.example', cookie: `key=${key}` };
    const refused = [
      request({ ...headers, upgrade: 'websocket' }),
      ...['POST', 'PUT', 'PATCH', 'DELETE', 'QUERY'].map((method) => request(headers, method)),
      request({ host: 'api.example', cookie: `key=${key}`, 'sec-fetch-site': 'cross-site' }, 'POST'),
    ];
    for (const one of refused) await expect(channels.identify(one)).rejects.toMatchObject({ code: 'ERR_ORIGIN_REFUSED' });
    expect(lookUps).toEqual([]);
    for (const one of refused.slice(0, -1)) expect((await lenient.identify(one)).user.id).toBe('alice');
    for (const method of ['GET', 'HEAD', 'OPTIONS']) expect((await channels.identify(request(headers, method))).user.id).toBe('alice');
    const own = request({ host: 'api.example', origin: 'https://api.example', cookie: `key=${key}` }, 'POST');
    const native = request({ host: 'api.example', cookie: `key=${key}` }, 'POST');
    for (const one of [own, native]) expect((await channels.identify(one)).user.id).toBe('alice');
  });

  it('serves the routes of an HTTP server', async () => {
    const { tokens, options } = makeSite();
    const channels = new ChannelServer({ connect: withUserFromToken({ tokens })(() => {}) }, options);
    const { port } = await listen(
      createServer((incoming, response) => {
        channels.identify(incoming).then(
          ({ user }) => response.end(String(user.id)),
          (error) => response.end(String(error.code)),
        );
      }),
    );
    const ask = async (init: RequestInit): Promise<string> => (await fetch(`http://127.0.0.1:${port}/me`, init)).text();
    expect(await ask({ headers: { cookie: `key=${key}` } })).toBe('alice');
    expect(await ask({ method: 'POST', headers: { cookie: `key=${key}`, origin: 'https://evil.example' } })).toBe('ERR_ORIGIN_REFUSED');
  });

  it('says what is wrong with its server or its argument', async () => {
    const { tokens, options } = makeSite();
    await expect(new ChannelServer({ connect: () => {} }, options).identify(request({}))).rejects.toThrow(TypeError);
    const channels = new ChannelServer({ connect: withUserFromToken({ tokens })(() => {}) }, options);
    for (const bad of [undefined, null, 'GET /', {}, new Request('http://127.0.0.1/')])
      await expect(channels.identify(bad as never)).rejects.toThrow(TypeError);
  });
});
