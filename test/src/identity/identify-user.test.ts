import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { authorization, defineSource, fromHttpSession, fromToken, identifyUser } from '../../../entries/index.js';
import { container, TOKEN_REPOSITORY } from '../../../src/injection.js';
import { aliceKey as key, makeSite } from '../../support/site.js';

function request(headers: Record<string, string>): IncomingMessage {
  return Object.assign(new IncomingMessage(new Socket()), { headers, url: '/' });
}

describe('identifyUser', () => {
  it('finds the user of a request by the first source that yields one', async () => {
    const { tokens, sessions, users } = makeSite();
    const sources = [fromToken({ tokens, from: authorization() }), fromHttpSession({ sessions, users })] as const;
    const byToken = await identifyUser(request({ authorization: `Token ${key}` }), { sources });
    expect(byToken).toMatchObject({ user: { id: 'alice' }, authentication: { outcome: 'ok', source: 'token', carrier: 'authorization' } });
    const bySession = await identifyUser(request({ cookie: `sessionid=${sessions.create('bob')}` }), { sources });
    expect(bySession).toMatchObject({ user: { id: 'bob' }, authentication: { outcome: 'ok', source: 'http-session' } });
  });

  it('gives the anonymous user and the reason, where none does', async () => {
    const { tokens, sessions, users } = makeSite();
    const sources = [fromToken({ tokens }), fromHttpSession({ sessions, users })] as const;
    const nothing = await identifyUser(request({}), { sources });
    expect(nothing).toMatchObject({ user: { id: null, isAuthenticated: false }, authentication: { outcome: 'missing' } });
    const unknown = await identifyUser(request({ cookie: `key=${'f'.repeat(40)}` }), { sources });
    expect(unknown.authentication).toMatchObject({ outcome: 'unknown', source: 'token' });
  });

  it('hears of the end of a connection once, however many of its requests are looked up, and tells all that still are', async () => {
    const signals: AbortSignal[] = [];
    let answer = (): void => undefined;
    const waits = defineSource('waits', (_request, { signal }) => {
      signals.push(signal);
      return new Promise<{ readonly outcome: 'missing' }>((resolve) => {
        answer = () => resolve({ outcome: 'missing' });
        signal.addEventListener('abort', () => resolve({ outcome: 'missing' }), { once: true });
      });
    });
    const socket = new Socket();
    const identify = () => identifyUser(Object.assign(new IncomingMessage(socket), { url: '/' }), { sources: [waits] });
    const asked = Array.from({ length: 20 }, identify);
    await vi.waitUntil(() => signals.length === 20);
    expect(socket.listenerCount('close')).toBe(1);
    answer();
    await asked.at(-1);
    socket.emit('close');
    await Promise.all(asked);
    expect(signals.map(({ aborted }) => aborted)).toEqual([...Array.from({ length: 19 }, () => true), false]);
    expect(socket.listenerCount('close')).toBe(0);
  });

  it('applies the origin rule to upgrades, and to them alone', async () => {
    const { tokens } = makeSite();
    const findById = vi.spyOn(tokens, 'findById');
    const sources = [fromToken({ tokens })] as const;
    const headers = { host: 'app.example.com', origin: 'https://evil.example', cookie: `key=${key}` };
    const upgrade = request({ ...headers, upgrade: 'websocket' });
    await expect(identifyUser(upgrade, { sources })).rejects.toMatchObject({ code: 'ERR_ORIGIN_REFUSED' });
    expect(findById).not.toHaveBeenCalled();
    expect((await identifyUser(upgrade, { sources, origins: ['https://evil.example'] })).user.id).toBe('alice');
    expect((await identifyUser(request(headers), { sources })).user.id).toBe('alice');
  });

  it('refuses the upgrade of a browser whose Origin was taken away, and lets a native client’s own URL in', async () => {
    const sources = [fromToken({ tokens: makeSite().tokens })] as const;
    const upgrade = { host: 'app.example.com', upgrade: 'websocket', cookie: `key=${key}` };
    const crossSite = request({ ...upgrade, 'sec-fetch-site': 'cross-site' });
    await expect(identifyUser(crossSite, { sources })).rejects.toMatchObject({ code: 'ERR_ORIGIN_REFUSED' });
    expect((await identifyUser(request({ ...upgrade, origin: 'ws://app.example.com' }), { sources })).user.id).toBe('alice');
    const opaque = request({ ...upgrade, origin: 'null' });
    await expect(identifyUser(opaque, { sources })).rejects.toMatchObject({ code: 'ERR_ORIGIN_REFUSED' });
    expect((await identifyUser(opaque, { sources, origins: ['null'] })).user.id).toBe('alice');
  });

  it('rejects where it cannot be told, and never says anonymous', async () => {
    const failing = { findById: () => Promise.reject(new Error('down')) };
    const cookie = { cookie: `key=${key}` };
    await expect(identifyUser(request(cookie), { sources: [fromToken({ tokens: failing })] })).rejects.toMatchObject({
      code: 'ERR_LOOKUP_FAILED',
    });
    const hung = { findById: () => new Promise<never>(() => {}) };
    const late = identifyUser(request(cookie), { sources: [fromToken({ tokens: hung })], timeoutMs: 1 });
    await expect(late).rejects.toMatchObject({ code: 'ERR_LOOKUP_TIMEOUT' });
  });

  it('reads the HTTP session once for several sources', async () => {
    const { sessions, users } = makeSite();
    const read = vi.spyOn(sessions, 'read');
    const nobody = { findById: async () => undefined };
    const sources = [fromHttpSession({ sessions, users: nobody }), fromHttpSession({ sessions, users })] as const;
    const { user } = await identifyUser(request({ cookie: `sessionid=${sessions.create('bob')}` }), { sources });
    expect(user.id).toBe('bob');
    expect(read).toHaveBeenCalledTimes(1);
  });

  it('looks for dependencies in its container, and misses them with a code', async () => {
    const { tokens } = makeSite();
    const child = container.createChildContainer();
    child.register(TOKEN_REPOSITORY, { useValue: tokens });
    const sources = [fromToken()] as const;
    expect((await identifyUser(request({ cookie: `key=${key}` }), { sources, container: child })).user.id).toBe('alice');
    await expect(identifyUser(request({}), { sources })).rejects.toMatchObject({ code: 'ERR_DEPENDENCY_MISSING' });
  });

  it('says which option is wrong', async () => {
    const { tokens } = makeSite();
    const sources = [fromToken({ tokens })] as const;
    for (const [option, options] of [
      ['source', {}],
      ['source', { sources: [] }],
      ['source', { sources: [fromToken] }],
      ['timeoutMs', { sources, timeoutMs: 0 }],
      ['timeout', { sources, timeout: 5 }],
      ['origins', { sources, origins: ['*'] }],
    ] as const) {
      for (const headers of [{}, { upgrade: 'websocket' }]) {
        const refused: unknown = await identifyUser(request(headers), options as never).catch((error: unknown) => error);
        expect(refused).toBeInstanceOf(TypeError);
        expect((refused as TypeError).message).toMatch(new RegExp(`^identifyUser: .*\\b${option}\\b`));
      }
    }
  });
});
