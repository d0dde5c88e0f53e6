import { describe, expect, it, vi } from 'vitest';
import {
  ChannelServer,
  cookie,
  fromHttpSession,
  fromToken,
  issueTokenHandler,
  type RenewTokenOptions,
  renewTokenHandler,
  tokenIdOf,
  withUserFrom,
} from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { aliceKey, codesOf, expectProcessToLive, makeSite, thrownBy } from '../../support/site.js';
import { makeExchangeSite, makeSiteOfCookies, serveOverHttp } from './exchanging.js';

expectProcessToLive();

const hourMs = 60 * 60 * 1000;

async function renewing(options: RenewTokenOptions = {}) {
  const site = makeExchangeSite();
  const { key, id } = await site.tokens.issue('alice', { ttlMs: hourMs });
  return { site, key, id, ...(await serveOverHttp(renewTokenHandler(site.channels, { tokens: site.tokens, ...options }))) };
}

describe('renewTokenHandler, by rotation', () => {
  it('gives a new key in the cookie in which the old one came, and live channels go over', async () => {
    const { site, key, ask } = await renewing({ ttlMs: 24 * hourMs, graceMs: 1_000 });
    const client = await connectTo(site.channels, { cookies: { key } });
    const { status, json, cookies } = await ask({ cookie: `key=${key}` });
    const expiresAt = new Date(site.clock.now() + 24 * hourMs);
    expect([status, json]).toEqual([200, { expiresAt: expiresAt.toISOString() }]);
    expect(cookies).toMatchObject([{ name: 'key', attributes: { expires: expiresAt.toUTCString(), httponly: '' } }]);
    const next = cookies[0]!.value;
    expect(next).not.toBe(key);
    await site.clock.advance(2 * hourMs);
    expect(client.closed).toBeUndefined();
    expect(client.channel.tokenId).toBe(tokenIdOf(next));
    expect((await ask({ cookie: `key=${key}` })).status).toBe(401);
  });

  it('gives it as JSON where the old one came in a header, or no cookie is wanted', async () => {
    const { site, key, ask } = await renewing();
    const { json, cookies } = await ask({ headers: { authorization: `Bearer ${key}` }, origin: null });
    const expiresAt = new Date(site.clock.now() + 14 * 24 * hourMs).toISOString();
    expect(json).toEqual({ token: expect.stringMatching(/^[0-9a-f]{40}$/), expiresAt });
    expect(cookies).toEqual([]);
    const other = await renewing({ cookie: false });
    expect(await other.ask({ cookie: `key=${other.key}` })).toMatchObject({ json: { token: expect.any(String) }, cookies: [] });
  });
});

describe('renewTokenHandler, up to an age', () => {
  it('bounds a chain of rotated tokens, then there must be another log-in', async () => {
    const { site, key, ask } = await renewing({ ttlMs: 24 * hourMs, graceMs: 0, maxAgeMs: 3 * hourMs });
    const end = new Date(site.clock.now() + 3 * hourMs).toISOString();
    const first = await ask({ cookie: `key=${key}` });
    await site.clock.advance(hourMs);
    const second = await ask({ cookie: `key=${first.cookies[0]?.value}` });
    expect([first.json, second.json]).toEqual([{ expiresAt: end }, { expiresAt: end }]);
    await site.clock.advance(2 * hourMs);
    expect((await ask({ cookie: `key=${second.cookies[0]?.value}` })).status).toBe(401);
  });
});

describe('renewTokenHandler, by extension', () => {
  it('lengthens the life of token and cookie, and live channels live on', async () => {
    const { site, key, ask } = await renewing({ mode: 'extend', ttlMs: 3 * hourMs });
    const client = await connectTo(site.channels, { cookies: { key } });
    const { status, json, cookies } = await ask({ cookie: `key=${key}` });
    const expiresAt = new Date(site.clock.now() + 3 * hourMs);
    expect([status, json]).toEqual([200, { expiresAt: expiresAt.toISOString() }]);
    expect(cookies).toMatchObject([{ name: 'key', value: key, attributes: { 'max-age': '10800' } }]);
    await site.clock.advance(2 * hourMs);
    expect(client.closed).toBeUndefined();
    await site.clock.advance(hourMs);
    expect(client.closed).toEqual({ code: 3000, reason: 'token expired' });
  });

  it('goes no further than the age that a token may reach', async () => {
    const { site, key, ask } = await renewing({ mode: 'extend', ttlMs: 3 * hourMs, maxAgeMs: 2 * hourMs });
    expect((await ask({ cookie: `key=${key}` })).json).toEqual({ expiresAt: new Date(site.clock.now() + 2 * hourMs).toISOString() });
  });

  it('tells of no key to those who have it, and of no end where there is none', async () => {
    const { key, ask } = await renewing({ mode: 'extend' });
    expect((await ask({ headers: { authorization: `Token ${key}` } })).json).toEqual({ expiresAt: expect.any(String) });
    const unending = await ask({ cookie: `key=${aliceKey}` });
    expect(unending.json).toEqual({});
    expect(unending.cookies).toMatchObject([{ value: aliceKey, attributes: { 'max-age': String(400 * 24 * 60 * 60) } }]);
  });
});

describe('renewTokenHandler of a server that reads several cookies', () => {
  it('sets no cookie with a key that another cookie holds, where the token that it extends keeps its own', async () => {
    const { tokens, options } = makeSite();
    const connect = withUserFrom(fromToken({ tokens, from: [cookie('first'), cookie('second')] }))(() => undefined);
    await using channels = new ChannelServer({ connect }, options);
    const [one, another] = [await tokens.issue('alice', { ttlMs: hourMs }), await tokens.issue('bob', { ttlMs: hourMs })];
    const { ask } = await serveOverHttp(renewTokenHandler(channels, { tokens, mode: 'extend', cookie: { at: cookie('second') } }));
    for (const second of [another.key, 'no-key', undefined]) {
      const cookies = [`first=${one.key}`, ...(second === undefined ? [] : [`second=${second}`])].join('; ');
      expect(await ask({ cookie: cookies })).toMatchObject({ status: 200, cookies: [] });
    }
  });
});

describe('renewTokenHandler of a server that reads a former cookie, too', () => {
  it.each([
    ['key', '__Host-key'],
    ['__Host-key', 'key'],
  ])(
    'gives the new key in its cookie and takes the former one away, whose key counts no more after its grace: %s, %s',
    async (...names) => {
      const site = makeSiteOfCookies(...names);
      const { tokens, channels } = site;
      const { key } = await tokens.issue('alice', { ttlMs: hourMs });
      const { ask } = await serveOverHttp(renewTokenHandler(channels, { tokens, cookie: { at: cookie('__Host-key') } }));
      const renewed = await ask({ cookie: `key=${key}` });
      expect(renewed.cookies).toMatchObject([
        { name: 'key', value: '', attributes: { 'max-age': '0' } },
        { name: '__Host-key', value: expect.stringMatching(/./) },
      ]);
    },
  );
});

describe('renewTokenHandler', () => {
  it.each(['rotate', 'extend'] as const)('refuses what counts no more (%s), and whoever has no token', async (mode) => {
    const { site, key, id, ask } = await renewing({ mode });
    const { key: short } = await site.tokens.issue('alice', { ttlMs: 1 });
    await site.clock.advance(1);
    await site.tokens.revoke(id);
    for (const cookies of [`key=${key}`, `key=${short}`, 'key=a-key-that-nobody-has', site.logIn('alice'), 'key=x']) {
      expect(await ask({ cookie: cookies })).toMatchObject({ status: 401, json: { error: 'authentication_required' }, cookies: [] });
    }
    site.users.delete('alice');
    expect((await ask({ cookie: `key=${aliceKey}` })).status).toBe(401);
  });

  it('refuses what ceases to count while it is renewed', async () => {
    const { site, key, ask } = await renewing();
    vi.spyOn(site.tokens, 'rotate').mockResolvedValue(undefined);
    expect((await ask({ cookie: `key=${key}` })).status).toBe(401);
  });

  it('is a TypeError where its sources have no token, as it is one for a handler of log-ins that has tokens alone', () => {
    const { channels, tokens, users, sessions } = makeExchangeSite();
    const logIns = thrownBy(() => renewTokenHandler(channels, { tokens, sources: [fromHttpSession({ sessions, users })] }));
    expect(logIns).toBeInstanceOf(TypeError);
    expect(logIns.message).toMatch(/^renewTokenHandler: sources must have fromToken/);
    const ofTokens = thrownBy(() => issueTokenHandler(channels, { tokens, sources: [fromToken({ tokens })] }));
    expect(ofTokens).toBeInstanceOf(TypeError);
    expect(ofTokens.message).toMatch(/^issueTokenHandler: sources must have fromHttpSession/);
  });

  it('leaves a ticket as it is, and gives nothing for it', async () => {
    const { site, id, ask } = await renewing();
    const one = await site.tickets.issue({ userId: 'alice', tokenId: id }, 30_000);
    expect((await ask({ path: `/?ticket=${one}` })).status).toBe(401);
    expect(await site.tickets.consume(one)).toBeDefined();
  });

  it('answers 503 where the issuer fails', async () => {
    const { site, key, ask } = await renewing();
    vi.spyOn(site.tokens, 'rotate').mockRejectedValue(new Error('down'));
    expect(await ask({ cookie: `key=${key}` })).toMatchObject({ status: 503, cookies: [] });
    expect(codesOf(site.errors)).toEqual(['ERR_LOOKUP_FAILED']);
  });

  it.each([{ mode: 'swap' }, { ttlMs: 0 }, { graceMs: -1 }, { mode: 'extend', maxAgeMs: 0 }, { tokens: { issue: async () => ({}) } }])(
    'refuses the options %j with a TypeError when it is made',
    (options) => {
      const { channels, tokens } = makeExchangeSite();
      expect(() => renewTokenHandler(channels, { tokens, ...(options as object) })).toThrow(TypeError);
    },
  );
});
