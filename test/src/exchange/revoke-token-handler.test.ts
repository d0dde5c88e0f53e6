import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import { cookie, hostCookie, query, type RevokeTokenOptions, revokeTokenHandler, tokenIdOf } from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { deferred } from '../../support/deferred.js';
import { aliceKey, bobKey, codesOf, expectProcessToLive } from '../../support/site.js';
import { makeExchangeSite, makeSiteOfCookies, makeSiteOfPlaces, serveOverHttp } from './exchanging.js';

expectProcessToLive();

const revoked = { code: 3000, reason: 'token revoked' };

async function revoking(options: RevokeTokenOptions = {}, site = makeExchangeSite()) {
  return { site, ...(await serveOverHttp(revokeTokenHandler(site.channels, { tokens: site.tokens, ...options }))) };
}

/** Alice with two tokens, Bob with one. */
async function withChannels(site: ReturnType<typeof makeExchangeSite>) {
  const { key: other } = await site.tokens.issue('alice');
  const clients = await Promise.all([aliceKey, other, bobKey].map((key) => connectTo(site.channels, { cookies: { key } })));
  return { other, endings: () => clients.map(({ closed }) => closed) };
}

describe('revokeTokenHandler', () => {
  it('revokes the token of the request, ends its channels and takes the cookie away', async () => {
    const { site, ask } = await revoking();
    const { endings } = await withChannels(site);
    const { status, json, headers, cookies } = await ask({ cookie: `key=${aliceKey}` });
    expect([status, json, headers.get('cache-control'), headers.get('content-type')]).toEqual([204, undefined, 'no-store', null]);
    expect(cookies).toEqual([
      {
        name: 'key',
        value: '',
        attributes: { 'max-age': '0', expires: new Date(0).toUTCString(), path: '/', httponly: '', samesite: 'Lax' },
      },
    ]);
    expect(endings()).toEqual([revoked, undefined, undefined]);
  });

  it('takes a cookie away with the attributes with which it was set', async () => {
    const { ask } = await revoking({ cookie: { sameSite: 'none', partitioned: true } }, makeExchangeSite(hostCookie('auth')));
    const [cleared] = (await ask()).cookies;
    expect(cleared).toMatchObject({ name: '__Host-auth', value: '' });
    expect(Object.keys(cleared!.attributes).sort()).toEqual([
      'expires',
      'httponly',
      'max-age',
      'partitioned',
      'path',
      'samesite',
      'secure',
    ]);
  });

  it.each([undefined, 'key=a-key-that-nobody-has', 'key=x'])('answers 204 to whoever has no token that counts: %s', async (cookies) => {
    const { site, ask } = await revoking();
    const answered = await ask(cookies === undefined ? {} : { cookie: cookies });
    expect(answered.status).toBe(204);
    expect(answered.cookies).toMatchObject([{ name: 'key', value: '' }]);
    expect(site.errors).toEqual([]);
  });

  it('revokes the token also where a session comes with it, or it is in a header; no cookie is touched where none is used', async () => {
    const { site, ask } = await revoking({ cookie: false });
    const { other, endings } = await withChannels(site);
    expect((await ask({ cookie: `${site.logIn('bob')}; key=${aliceKey}` })).cookies).toEqual([]);
    await ask({ headers: { authorization: `Bearer ${other}` }, origin: null });
    expect(endings()).toEqual([revoked, revoked, undefined]);
  });

  it('revokes all of the user, found by a token or by the log-in', async () => {
    for (const cookies of [`key=${aliceKey}`, 'session']) {
      const { site, ask } = await revoking({ all: true });
      const { endings } = await withChannels(site);
      expect((await ask({ cookie: cookies === 'session' ? site.logIn('alice') : cookies })).status).toBe(204);
      expect(endings()).toEqual([revoked, revoked, undefined]);
      expect(await site.tokens.listOf('alice')).toEqual([]);
    }
  });

  it('revokes what stands in each place where tokens are read, and takes each of these cookies away', async () => {
    const { site, ask } = await revoking({}, makeSiteOfCookies('__Host-key', 'key', 'older'));
    const { other, endings } = await withChannels(site);
    const { cookies } = await ask({ cookie: `key=${other}; __Host-key=${aliceKey}; mine=${bobKey}` });
    expect(cookies.map(({ name, value, attributes }) => [name, value, 'secure' in attributes])).toEqual([
      ['__Host-key', '', true],
      ['key', '', false],
    ]);
    const standing = await Promise.all([aliceKey, other, bobKey].map((key) => site.tokens.findById(tokenIdOf(key))));
    expect(standing.map((grant) => grant?.revokedAt !== undefined)).toEqual([true, true, false]);
    expect(endings()).toEqual([revoked, revoked, undefined]);
  });

  it('revokes what stands in cookies of one name, of which none counts', async () => {
    const { site, ask } = await revoking();
    const { other, endings } = await withChannels(site);
    expect((await ask({ cookie: `key=${other}; key=${aliceKey}; key=x` })).status).toBe(204);
    expect(endings()).toEqual([revoked, revoked, undefined]);
  });

  it('leaves cookies alone that a page of another site may have had sent, beside a token of its own in the query', async () => {
    const { site, ask } = await revoking({}, makeSiteOfPlaces(query('token'), cookie()));
    const bring = async (origin?: null) => {
      expect((await ask({ path: `/?token=${bobKey}`, cookie: `key=${aliceKey}`, ...(origin === null && { origin }) })).status).toBe(204);
      return (await Promise.all([bobKey, aliceKey].map((key) => site.tokens.findById(tokenIdOf(key))))).map(
        (grant) => grant?.revokedAt !== undefined,
      );
    };
    expect(await bring(null)).toEqual([true, false]);
    expect(await bring()).toEqual([true, true]);
  });

  it('revokes a token of somebody else that comes along with all of a user', async () => {
    const { site, ask } = await revoking({ all: true }, makeSiteOfCookies('key', 'former'));
    await ask({ cookie: `key=${aliceKey}; former=${bobKey}` });
    expect([await site.tokens.listOf('alice'), await site.tokens.listOf('bob')]).toEqual([[], []]);
  });

  it('revokes the token that counts, however many come before it', async () => {
    const { site, ask } = await revoking({}, makeSiteOfCookies('key', 'other'));
    const { endings } = await withChannels(site);
    const cookies = Array.from({ length: 20 }, (_, index) => `key=made-up-by-nobody-${index}; `).join('');
    expect((await ask({ cookie: `${cookies}other=${aliceKey}` })).status).toBe(204);
    expect(endings()).toEqual([revoked, undefined, undefined]);
  });

  it('asks for a few tokens alone, however many come', async () => {
    const { site, ask } = await revoking();
    const revoke = vi.spyOn(site.tokens, 'revoke');
    const cookies = Array.from({ length: 200 }, (_, index) => `key=made-up-by-nobody-${index}`).join('; ');
    expect((await ask({ cookie: cookies })).status).toBe(204);
    expect(revoke).toHaveBeenCalledTimes(8);
  });

  it('revokes all where the query asks for it', async () => {
    const { site, ask } = await revoking({ all: 'query' });
    const { other, endings } = await withChannels(site);
    await ask({ cookie: `key=${aliceKey}`, path: '/?all=no' });
    expect(endings()).toEqual([revoked, undefined, undefined]);
    await ask({ cookie: `key=${other}`, path: '/?all=true' });
    expect(endings()).toEqual([revoked, revoked, undefined]);
  });

  it.each([
    ['{"all":true}', 2],
    ['{"all":"true"}', 1],
    ['{}', 1],
    ['', 1],
  ])('revokes all where the body says so: %j', async (body, count) => {
    const { site, ask } = await revoking({ all: 'body' });
    const { endings } = await withChannels(site);
    expect((await ask({ cookie: `key=${aliceKey}`, body })).status).toBe(204);
    expect(endings().filter((ending) => ending !== undefined)).toHaveLength(count);
  });

  it.each([
    ['{', 400, 'invalid_json'],
    ['7', 400, 'invalid_json'],
    ['null', 400, 'invalid_json'],
    [`{"all":"${'x'.repeat(1_024)}"}`, 413, 'too_large'],
  ])('refuses a body that says nothing clear, and revokes nothing: %.9s', async (body, status, error) => {
    const { site, ask } = await revoking({ all: 'body' });
    expect(await ask({ cookie: `key=${aliceKey}`, body })).toMatchObject({ status, json: { error } });
    expect((await site.tokens.findById(tokenIdOf(aliceKey)))?.revokedAt).toBeUndefined();
    expect(site.errors).toEqual([]);
  });

  it('answers 408 to a body that does not end in time, and revokes nothing', async () => {
    const site = makeExchangeSite();
    const handler = revokeTokenHandler(site.channels, { tokens: site.tokens, all: 'body' });
    const reading = deferred();
    const { ask } = await serveOverHttp((request: IncomingMessage, response: ServerResponse) => {
      request.on('newListener', (event) => event === 'data' && reading.resolve());
      return handler(request, response);
    });
    const answer = ask({ cookie: `key=${aliceKey}`, body: new ReadableStream({ start: (body) => body.enqueue(Buffer.from('{')) }) });
    await reading.promise;
    await site.clock.advance(5_000);
    expect(await answer).toMatchObject({ status: 408, cookies: [] });
    expect((await site.tokens.findById(tokenIdOf(aliceKey)))?.revokedAt).toBeUndefined();
    expect(site.errors).toEqual([]);
  });

  it('answers 500 and revokes nothing where somebody else has read a body and not kept it, as frameworks with a request of their own do', async () => {
    const site = makeExchangeSite();
    const handler = revokeTokenHandler(site.channels, { tokens: site.tokens, all: 'body' });
    const { ask } = await serveOverHttp(async (request: IncomingMessage, response: ServerResponse) => {
      await request.toArray();
      await handler(request, response);
    });
    for (const body of ['{"all":true}', new Blob(['{"all":true}']).stream()])
      expect((await ask({ cookie: `key=${aliceKey}`, body })).status).toBe(500);
    expect((await site.tokens.findById(tokenIdOf(aliceKey)))?.revokedAt).toBeUndefined();
    expect(site.errors).toHaveLength(2);
    expect((await ask({ cookie: `key=${aliceKey}` })).status).toBe(204);
    expect((await site.tokens.findById(tokenIdOf(aliceKey)))?.revokedAt).toBeDefined();
  });

  it('reads a body of which somebody wants text, and one that a parser before it has left', async () => {
    const site = makeExchangeSite();
    const handler = revokeTokenHandler(site.channels, { tokens: site.tokens, all: 'body' });
    for (const before of [
      (request: IncomingMessage) => request.setEncoding('utf8'),
      (request: IncomingMessage) => request.setEncoding('base64'),
      (request: IncomingMessage) => Object.assign(request, { body: {} }), // as parsers of Express 4 do
    ]) {
      const { ask } = await serveOverHttp(async (request: IncomingMessage, response: ServerResponse) => {
        before(request);
        await handler(request, response);
      });
      const [{ key }] = [await site.tokens.issue('alice'), await site.tokens.issue('alice')];
      expect((await ask({ cookie: `key=${key}`, body: '{"all":true}' })).status).toBe(204);
      expect(await site.tokens.listOf('alice')).toEqual([]);
    }
  });

  it('tells other processes of tokens that were revoked, and of none that anybody makes up', async () => {
    const publish = vi.fn(async () => undefined);
    const site = makeExchangeSite(undefined, {
      revocations: { subscribe: async () => ({ [Symbol.asyncDispose]: async () => undefined }), publish },
    });
    const { ask } = await revoking({}, site);
    await ask({ cookie: 'key=a-key-that-nobody-has' });
    expect(publish).not.toHaveBeenCalled();
    await ask({ cookie: `key=${aliceKey}` });
    expect(publish.mock.calls).toEqual([[{ tokenId: tokenIdOf(aliceKey) }]]);
  });

  it('ends channels also where the issuer tells nobody of what it revokes', async () => {
    const site = makeExchangeSite();
    const { tokens } = site;
    vi.spyOn(tokens.revocations, 'subscribe');
    const silent = {
      issue: tokens.issue.bind(tokens),
      revoke: async () => true,
      revokeAllOf: async () => 2,
      listOf: tokens.listOf.bind(tokens),
    };
    for (const [all, count] of [
      [false, 1],
      [true, 2],
    ] as const) {
      const { endings } = await withChannels(site);
      const { ask } = await serveOverHttp(revokeTokenHandler(site.channels, { tokens: silent, all }));
      await ask({ cookie: `key=${aliceKey}` });
      expect(endings().filter((ending) => ending !== undefined)).toHaveLength(count);
    }
  });

  it('answers 503 where the issuer or the repository fails, and leaves the cookie, so that it can be tried again', async () => {
    const { site, ask } = await revoking();
    vi.spyOn(site.tokens, 'revoke').mockRejectedValueOnce(new Error('down'));
    vi.spyOn(site.tokens, 'findById').mockRejectedValueOnce(new Error('down'));
    for (let times = 0; times < 2; times += 1) {
      expect(await ask({ cookie: `key=${aliceKey}` })).toMatchObject({ status: 503, cookies: [], json: { error: 'try_again_later' } });
    }
    expect(codesOf(site.errors)).toEqual(['ERR_LOOKUP_FAILED', 'ERR_LOOKUP_FAILED']);
    expect((await ask({ cookie: `key=${aliceKey}` })).status).toBe(204);
  });

  it('tells onError where other processes could not be told, and logs out all the same', async () => {
    const publish = vi.fn(async () => Promise.reject(new Error('down')));
    const revocations = { subscribe: async () => ({ [Symbol.asyncDispose]: async () => undefined }), publish };
    const site = makeExchangeSite(undefined, { revocations });
    const { ask } = await revoking({}, site);
    expect((await ask({ cookie: `key=${aliceKey}` })).status).toBe(204);
    expect(codesOf(site.errors)).toEqual(['ERR_REVOCATION_FEED_FAILED']);
  });

  it.each([{ all: 'yes' }, { all: 1 }, { tokens: { revoke: () => undefined } }, { ttlMs: 1 }])('refuses the options %j', (options) => {
    const { channels, tokens } = makeExchangeSite();
    expect(() => revokeTokenHandler(channels, { tokens, ...(options as object) })).toThrow(TypeError);
  });
});
