import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import {
  authorization,
  ChannelServer,
  type CredentialSource,
  cookie,
  defineSource,
  fromToken,
  hostCookie,
  issueTokenHandler,
  renewTokenHandler,
  revokeTokenHandler,
  type TokenCookieOptions,
  withUserFrom,
} from '../../../entries/index.js';
import { expectProcessToLive, makeSite, thrownBy } from '../../support/site.js';
import { makeExchangeSite, makeSiteOfPlaces, serveOverHttp } from './exchanging.js';

expectProcessToLive();

const page = 'https://chat.example.com';

/** The cookie that is set for a page of `origin`. */
async function cookieOf(options: TokenCookieOptions, at = options.at ?? cookie('key'), origin: string | undefined = page) {
  const site = makeExchangeSite(at, { publicOrigin: page });
  const { ask } = await serveOverHttp(issueTokenHandler(site.channels, { tokens: site.tokens, cookie: options }));
  const { cookies } = await ask({ cookie: site.logIn('alice'), ...(origin !== undefined && { origin }) });
  return cookies[0];
}

describe('the cookie of a token', () => {
  it('is Secure, HttpOnly, SameSite=Lax, for every path of this host, where the page is one of HTTPS', async () => {
    const set = await cookieOf({});
    expect(set?.name).toBe('key');
    expect(set?.attributes).toMatchObject({ secure: '', httponly: '', samesite: 'Lax', path: '/' });
    expect(set?.attributes).not.toHaveProperty('domain');
    expect(set?.attributes).not.toHaveProperty('partitioned');
  });

  it('is not Secure for a page of plain HTTP, which would lose it, unless it is told to be', async () => {
    const site = makeExchangeSite();
    for (const [secure, expected] of [
      [undefined, false],
      [true, true],
      [false, false],
    ] as const) {
      const { ask } = await serveOverHttp(issueTokenHandler(site.channels, { tokens: site.tokens, cookie: { secure } }));
      const [set] = (await ask({ cookie: site.logIn('alice') })).cookies;
      expect('secure' in (set?.attributes ?? {})).toBe(expected);
    }
  });

  it('has the name of the place in which it is read, with the prefix that holds it to its host', async () => {
    for (const [at, name] of [
      [hostCookie(), '__Host-key'],
      [hostCookie('auth'), '__Host-auth'],
      [hostCookie('auth', '__Host-Http-'), '__Host-Http-auth'],
    ] as const) {
      const set = await cookieOf({}, at);
      expect(set?.name).toBe(name);
      expect(set?.attributes).toMatchObject({ secure: '', httponly: '', path: '/' });
      expect(set?.attributes).not.toHaveProperty('domain');
    }
  });

  it('is Secure by its name, whatever page asks', async () => {
    const site = makeExchangeSite(hostCookie());
    const { ask } = await serveOverHttp(issueTokenHandler(site.channels, { tokens: site.tokens }));
    expect((await ask({ cookie: site.logIn('alice') })).cookies[0]?.attributes).toHaveProperty('secure');
  });

  it('has the attributes that are asked for', async () => {
    const set = await cookieOf({ sameSite: 'none', partitioned: true, domain: 'example.com', path: '/chat' });
    expect(set?.attributes).toMatchObject({ samesite: 'None', partitioned: '', secure: '', domain: 'example.com', path: '/chat' });
    expect((await cookieOf({ sameSite: 'strict' }))?.attributes['samesite']).toBe('Strict');
  });

  it.each<[TokenCookieOptions, object]>([
    [{ domain: 'example.com' }, { domain: 'example.com', path: '/' }],
    [{ path: '/chat' }, { path: '/chat' }],
    [{ partitioned: true }, { partitioned: '', secure: '', path: '/' }],
  ])('goes together with the one that was set before it had %j, beside which it would not count', async (options, attributes) => {
    const site = makeExchangeSite();
    const { tokens, channels } = site;
    const { key } = await tokens.issue('bob');
    for (const handler of [renewTokenHandler, revokeTokenHandler]) {
      const { ask } = await serveOverHttp(handler(channels, { tokens, cookie: options }));
      const { cookies } = await ask({ cookie: `key=${key}` });
      // what is set comes last: some clients take both for the same cookie, such as browsers that do not know `Partitioned`
      const [former, set, ...others] = handler === renewTokenHandler ? cookies : cookies.toReversed();
      expect([set?.name, set?.attributes]).toEqual(['key', expect.objectContaining(attributes)]);
      expect(set?.value !== '').toBe(handler === renewTokenHandler);
      expect(former).toMatchObject({ name: 'key', value: '', attributes: { path: '/', 'max-age': '0' } });
      expect(former?.attributes).not.toHaveProperty('domain');
      expect(former?.attributes).not.toHaveProperty('partitioned');
      expect(others).toEqual([]);
    }
  });

  it('is by default one that tokens are read from, not one in which another source looks for something else', async () => {
    const { tokens, options } = makeSite();
    const gateway = defineSource('gateway', () => ({ outcome: 'ok', user: { id: 'alice', isAuthenticated: true } }) as const, {
      from: cookie('gateway'),
    });
    const own = fromToken({ tokens, from: [authorization(), cookie('auth')] });
    for (const [connect, name] of [
      [withUserFrom(gateway, own)(() => {}), 'auth'],
      [withUserFrom(own, gateway)(() => {}), 'auth'],
      [withUserFrom(gateway)(() => {}), 'gateway'],
    ] as const) {
      await using channels = new ChannelServer({ connect }, options);
      const { ask } = await serveOverHttp(issueTokenHandler(channels, { tokens }));
      expect((await ask()).cookies.map((set) => set.name)).toEqual([name]);
    }
  });

  it("may be a place of the application's own, whose find gives nothing where there is nothing", async () => {
    const find = ({ headers }: IncomingMessage) => (headers.cookie?.includes('own=') === true ? { kind: 'key', key: 'short' } : undefined);
    const at = { carrier: 'cookie', name: 'own', find } as CredentialSource;
    const site = makeSiteOfPlaces(at, cookie());
    const { tokens, channels } = site;
    const { key } = await tokens.issue('alice');
    for (const [make, statuses] of [
      [issueTokenHandler, [200, 200]],
      [
        (...[server, options]: Parameters<typeof renewTokenHandler>) => renewTokenHandler(server, { ...options, mode: 'extend' }),
        [200, 401],
      ],
      [revokeTokenHandler, [204, 204]],
    ] as const) {
      const { ask } = await serveOverHttp(make(channels, { tokens, cookie: { at } }));
      const answers = [await ask({ cookie: `${site.logIn('alice')}; key=${key}` }), await ask({ cookie: `${site.logIn('alice')}; own=x` })];
      expect(answers.map(({ status }) => status)).toEqual(statuses);
    }
    expect(site.errors).toEqual([]);
  });

  it('is one definition: what is set in it identifies, and is taken away by the same name', async () => {
    const at = hostCookie('auth');
    const site = makeExchangeSite(at);
    const issue = await serveOverHttp(issueTokenHandler(site.channels, { tokens: site.tokens, cookie: { at } }));
    const revoke = await serveOverHttp(revokeTokenHandler(site.channels, { tokens: site.tokens, cookie: { at } }));
    const [set] = (await issue.ask({ cookie: site.logIn('bob') })).cookies;
    expect(await site.tokens.listOf('bob')).toHaveLength(2);
    const [cleared] = (await revoke.ask({ cookie: `${set?.name}=${set?.value}` })).cookies;
    expect([cleared?.name, cleared?.value]).toEqual([set?.name, '']);
    expect(await site.tokens.listOf('bob')).toHaveLength(1);
  });

  it.each([
    ...['', ' ', 'a b', 'example.com; Secure', 'exämple.com', 'https://example.com', 'example.com:8080', 'a..b', '-a.example', 7].map(
      (domain) => ({ domain }),
    ),
    ...['', 'chat', '/a b', '/a;b', '/grüße', '/\u0000', '/\u007f', '/<a>', '/a\r\nSet-Cookie: a=b', ['/']].map((path) => ({ path })),
  ])('with %j, which browsers would not take, is refused when the handler is made', (given) => {
    const { channels, tokens } = makeExchangeSite();
    const [option] = Object.keys(given);
    for (const makeHandler of [issueTokenHandler, renewTokenHandler, revokeTokenHandler]) {
      const error = thrownBy(() => makeHandler(channels, { tokens, cookie: given as TokenCookieOptions }));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(new RegExp(`cookie: ${option}\\b`));
    }
  });

  it.each([{ domain: 'localhost' }, { domain: '.example.com' }, { domain: 'xn--exmple-cua.com' }, { path: '/' }, { path: '/a%20b/~c' }])(
    'with %j is taken',
    async (given) => {
      expect((await cookieOf(given))?.attributes).toMatchObject(given);
    },
  );

  it.each([
    ['two words', '__Host-'],
    ['', '__Host'],
    ['key', '__Secure-'],
    [7, '__Host-'],
  ])('hostCookie refuses %j with the prefix %j', (name, prefix) => {
    expect(() => hostCookie(name as never, prefix as never)).toThrow(TypeError);
  });
});
