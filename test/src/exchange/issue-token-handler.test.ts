import { describe, expect, it, vi } from 'vitest';
import {
  ChannelServer,
  cookie,
  fromHttpSession,
  fromToken,
  container as globalContainer,
  HTTP_SESSION_READER,
  hostCookie,
  type IssueTokenOptions,
  issueTokenHandler,
  query,
  TOKEN_REPOSITORY,
  tokenIdOf,
  UnknownUserError,
  USER_REPOSITORY,
  withUserFrom,
  withUserFromToken,
} from '../../../entries/index.js';
import { MemoryTicketStore } from '../../../entries/memory.js';
import { connectTo } from '../../../entries/testing.js';
import { eventually } from '../../support/eventually.js';
import { aliceKey, codesOf, expectProcessToLive, makeSite, thrownBy } from '../../support/site.js';
import { type ExchangeSite, makeExchangeSite, makeSiteOfCookies, serveOverHttp } from './exchanging.js';

expectProcessToLive();

const dayMs = 24 * 60 * 60 * 1000;

async function issuing(options: IssueTokenOptions = {}, site = makeExchangeSite()) {
  const { tokens } = site;
  return { site, ...(await serveOverHttp(issueTokenHandler(site.channels, { tokens, ...options }))) };
}

describe('issueTokenHandler', () => {
  it('gives whoever is logged in a token in the cookie that the server reads, and its end', async () => {
    const { site, ask } = await issuing({ ttlMs: 7 * dayMs });
    const { status, json, headers, cookies } = await ask({ cookie: site.logIn('alice') });
    const expiresAt = new Date(site.clock.now() + 7 * dayMs);
    expect([status, json]).toEqual([200, { expiresAt: expiresAt.toISOString() }]);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-type')).toBe('application/json');
    const [set, ...more] = cookies;
    expect(more).toEqual([]);
    expect(set).toMatchObject({ name: 'key', value: expect.stringMatching(/^[0-9a-f]{40}$/) });
    expect(set?.attributes).toEqual({
      'max-age': String((7 * dayMs) / 1000),
      expires: expiresAt.toUTCString(),
      path: '/',
      httponly: '',
      samesite: 'Lax',
    });
    const client = await connectTo(site.channels, { cookies: { key: set!.value } });
    expect(client.user.id).toBe('alice');
    expect(client.authentication).toMatchObject({ outcome: 'ok', carrier: 'cookie', expiresAt });
  });

  it('hands on label and scopes, and a label can be told from the request', async () => {
    const { site, ask } = await issuing({ label: (request) => request.headers['user-agent'], scopes: ['chat'] });
    await ask({ cookie: site.logIn('bob'), headers: { 'user-agent': 'a phone' } });
    expect(await site.tokens.listOf('bob')).toMatchObject([{}, { label: 'a phone', scopes: ['chat'] }]);
  });

  it('gives it as JSON to those who keep it themselves, and sets no cookie', async () => {
    const { site, ask } = await issuing({ cookie: false });
    const { status, json, cookies } = await ask({ cookie: site.logIn('alice') });
    expect(status).toBe(200);
    const { token, expiresAt } = json as { token: string; expiresAt: string };
    expect((await site.tokens.findById(tokenIdOf(token)))?.expiresAt).toEqual(new Date(expiresAt));
    expect(cookies).toEqual([]);
  });

  it('gives no second token to a browser that keeps one of this user already', async () => {
    const { site, ask } = await issuing();
    const { key } = await site.tokens.issue('alice', { ttlMs: dayMs });
    const before = (await site.tokens.listOf('alice')).length;
    const again = await ask({ cookie: `${site.logIn('alice')}; key=${key}` });
    expect(again).toMatchObject({ status: 200, json: { expiresAt: new Date(site.clock.now() + dayMs).toISOString() }, cookies: [] });
    expect(await site.tokens.listOf('alice')).toHaveLength(before);
    const ofAnother = await ask({ cookie: `${site.logIn('bob')}; key=${key}` });
    expect(ofAnother.cookies).toHaveLength(1);
    await site.tokens.revoke(tokenIdOf(key));
    expect((await ask({ cookie: `${site.logIn('alice')}; key=${key}` })).cookies).toHaveLength(1);
  });

  it('takes another cookie away that is read in its place and would count instead; not one of another source', async () => {
    const named = async (site: ExchangeSite) => {
      const { ask } = await issuing({ cookie: { at: hostCookie() } }, site);
      return (await ask({ cookie: `${site.logIn('bob')}; key=${aliceKey}` })).cookies.map(({ name, value }) => [name, value !== '']);
    };
    expect(await named(makeSiteOfCookies('key', '__Host-key'))).toEqual([
      ['key', false],
      ['__Host-key', true],
    ]);
    const { tokens, users, sessions, options, ...site } = makeSite();
    const connect = withUserFrom(
      fromToken({ tokens }),
      fromToken({ tokens, from: hostCookie() }),
      fromHttpSession({ sessions, users }),
    )(() => {});
    await using channels = new ChannelServer({ connect }, options);
    const logIn = (userId: string): string => `sessionid=${sessions.create(userId)}`;
    const apart = { ...site, tokens, users, sessions, options, channels, logIn, tickets: new MemoryTicketStore() };
    expect(await named(apart)).toEqual([['__Host-key', true]]);
  });

  it('looks no token up for a browser that keeps none in that cookie', async () => {
    const { site, ask } = await issuing();
    const looking = vi.spyOn(site.tokens, 'findById');
    const headers = { authorization: `Bearer ${aliceKey}` };
    expect((await ask({ cookie: site.logIn('alice'), headers })).cookies).toHaveLength(1);
    expect(looking).not.toHaveBeenCalled();
  });

  it('is for log-ins alone: a token gives no other, and neither does a ticket', async () => {
    const { site, ask } = await issuing();
    expect((await ask({ cookie: `key=${aliceKey}` })).status).toBe(401);
    expect((await ask({ headers: { authorization: `Bearer ${aliceKey}` } })).status).toBe(401);
    const one = await site.tickets.issue({ userId: 'alice' }, 30_000);
    expect((await ask({ path: `/?ticket=${one}` })).status).toBe(401);
    expect(await site.tickets.consume(one)).toEqual({ userId: 'alice' });
  });

  it('refuses who is not logged in, with constant JSON', async () => {
    const { site, ask } = await issuing();
    for (const cookies of [undefined, 'sessionid=unknown', site.logIn('nobody')]) {
      const { status, json, headers, cookies: set } = await ask(cookies === undefined ? {} : { cookie: cookies });
      expect([status, json, set]).toEqual([401, { error: 'authentication_required' }, []]);
      expect(headers.get('www-authenticate')).toBe('Bearer');
    }
    expect(site.errors).toEqual([]);
  });

  it('takes a log-in also where the source that finds it has ended: that is about channels', async () => {
    const { tokens, sessions, users, options, clock } = makeSite();
    const until = new Date(clock.now() - 1);
    const connect = withUserFrom(fromToken({ tokens }), fromHttpSession({ sessions, users, until }))(() => undefined);
    const channels = new ChannelServer({ connect }, options);
    const cookies = { sessionid: sessions.create('alice') };
    expect((await connectTo(channels, { cookies })).user.isAuthenticated).toBe(false);
    const { ask } = await serveOverHttp(issueTokenHandler(channels, { tokens }));
    const { cookies: set } = await ask({ cookie: `sessionid=${cookies.sessionid}` });
    expect((await connectTo(channels, { cookies: { key: set[0]!.value } })).user.id).toBe('alice');
  });

  it('finds the log-in in the HTTP session that is registered, where the server itself takes tokens alone', async () => {
    const { tokens, sessions, users, options } = makeSite();
    const container = globalContainer.createChildContainer();
    container.register(TOKEN_REPOSITORY, { useValue: tokens });
    const channels = new ChannelServer({ connect: withUserFromToken(() => undefined) }, { ...options, container });
    expect(thrownBy(() => issueTokenHandler(channels)).code).toBe('ERR_DEPENDENCY_MISSING');
    container.register(HTTP_SESSION_READER, { useValue: sessions });
    container.register(USER_REPOSITORY, { useValue: users });
    const later = new ChannelServer({ connect: withUserFromToken(() => undefined) }, { ...options, container });
    const { ask } = await serveOverHttp(issueTokenHandler(later));
    expect((await ask({ cookie: `sessionid=${sessions.create('alice')}` })).cookies).toMatchObject([{ name: 'key' }]);
  });

  it.each<[number, string, unknown]>([
    [503, 'ERR_LOOKUP_FAILED', new Error('down')],
    [401, '', new UnknownUserError('issue')],
    [409, '', Object.assign(new Error('too many'), { code: 'ERR_TOKEN_LIMIT' })],
  ])('answers %i where the issuer fails so: %s', async (status, code, error) => {
    const { site, ask } = await issuing();
    vi.spyOn(site.tokens, 'issue').mockRejectedValue(error);
    const { cookies, headers, ...answered } = await ask({ cookie: site.logIn('alice') });
    expect(answered.status).toBe(status);
    expect(headers.get('retry-after')).toBe(status === 503 ? '5' : null);
    expect(cookies).toEqual([]);
    expect(codesOf(site.errors)).toEqual(code === '' ? [] : [code]);
  });

  it('answers 503 where it cannot be told who it is, or only too late', async () => {
    const { site, ask } = await issuing();
    const read = vi.spyOn(site.sessions, 'read').mockRejectedValueOnce(new Error('down'));
    expect(await ask({ cookie: 'sessionid=x' })).toMatchObject({ status: 503, json: { error: 'try_again_later' } });
    read.mockReturnValueOnce(new Promise(() => undefined));
    const hanging = ask({ cookie: 'sessionid=x' });
    await eventually(() => expect(read).toHaveBeenCalledTimes(2));
    await site.clock.advance(5_000);
    expect((await hanging).status).toBe(503);
    expect(codesOf(site.errors)).toEqual(['ERR_LOOKUP_FAILED', 'ERR_LOOKUP_TIMEOUT']);
  });

  it('answers 500 where the application’s own function throws, and tells onError', async () => {
    const label = (): string => {
      throw new Error('no label');
    };
    const { site, ask } = await issuing({ label });
    expect(await ask({ cookie: site.logIn('alice') })).toMatchObject({ status: 500, json: { error: 'internal_error' } });
    expect(site.errors).toHaveLength(1);
  });

  it.each([
    ['a number', () => 7],
    ['an object', () => ({})],
    ['a symbol', () => Symbol('label')],
    ['a promise', async () => 'a phone'],
    ['a promise that rejects', async () => Promise.reject(new Error('no label'))],
  ])('answers 500 where the application’s own function gives %s for a label, and issues nothing', async (_, label) => {
    const { site, ask } = await issuing({ label: label as never });
    expect(await ask({ cookie: site.logIn('bob') })).toMatchObject({ status: 500, json: { error: 'internal_error' }, cookies: [] });
    expect(site.errors).toEqual([expect.any(TypeError)]);
    expect(await site.tokens.listOf('bob')).toHaveLength(1);
  });

  it.each([
    { ttlMs: 0 },
    { ttlMs: 1.5 },
    { ttlMs: 4e12 },
    { label: 7 },
    { scopes: 'chat' },
    { scopes: [7] },
    { cookie: true },
    { cookie: { at: 'key' } },
    { cookie: { at: query('key') } },
    { cookie: { at: cookie('other') } },
    { cookie: { sameSite: 'no' } },
    { cookie: { name: 'key' } },
    { cookie: { path: 'chat' } },
    { cookie: { domain: '' } },
    { cookie: { secure: false, sameSite: 'none' } },
    { cookie: { secure: false, partitioned: true } },
    { sources: [] },
    { sources: [7] },
    { tokens: {} },
    { unknown: 1 },
  ])('refuses the options %j with a TypeError when it is made', (options) => {
    const { channels, tokens } = makeExchangeSite();
    expect(() => issueTokenHandler(channels, { tokens, ...(options as object) })).toThrow(TypeError);
  });

  it.each([{ domain: 'example.com' }, { path: '/chat' }, { secure: false }])(
    'refuses %j for a cookie that is held to its host',
    (options) => {
      const { channels, tokens } = makeExchangeSite(hostCookie());
      expect(() => issueTokenHandler(channels, { tokens, cookie: options })).toThrow(TypeError);
    },
  );

  it('is a TypeError where the server reads tokens from no cookie', () => {
    const { tokens, sessions, users, options } = makeSite();
    const channels = new ChannelServer({ connect: withUserFromToken({ tokens, from: query('key') })(() => undefined) }, options);
    const container = globalContainer.createChildContainer();
    container.register(HTTP_SESSION_READER, { useValue: sessions });
    container.register(USER_REPOSITORY, { useValue: users });
    const withSessions = new ChannelServer(
      { connect: withUserFromToken({ tokens, from: query('key') })(() => undefined) },
      { ...options, container },
    );
    expect(() => issueTokenHandler(channels, { tokens, cookie: false })).toThrow();
    expect(() => issueTokenHandler(withSessions, { tokens })).toThrow(TypeError);
    expect(() => issueTokenHandler(withSessions, { tokens, cookie: false })).not.toThrow();
  });
});
