import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ChannelServer, withUserFrom } from '../../../entries/index.js';
import { fromJwt } from '../../../entries/jwt.js';
import { connectTo } from '../../../entries/testing.js';
import { codesOf, expectProcessToLive, makeSite } from '../../support/site.js';
import { audience, ec, issuer, jwtSite, keys, makePair, publish, rsa, tokenAt } from './tokens.js';

expectProcessToLive();

const other = await makePair('ec-2');

describe('a key set of one’s own', () => {
  it('finds the key by its name, and tokens by no other', async () => {
    const { connect, token } = jwtSite({ jwks: { keys: [rsa.jwk, other.jwk, ec.jwk] } });
    expect((await connect(await token())).user.id).toBe('ada');
    expect((await connect(await token({ header: { kid: 'ec-2' } }))).authentication?.outcome).toBe('unknown');
    expect((await connect(await token({ header: { kid: 'ec-3' } }))).authentication?.outcome).toBe('unknown');
  });

  it('tries keys of one name, and those without', async () => {
    const { connect, token } = jwtSite({
      jwks: {
        keys: [
          { ...other.jwk, kid: 'same' },
          { ...ec.jwk, kid: 'same' },
        ],
      },
    });
    for (const kid of ['same', undefined]) expect((await connect(await token({ header: { kid } }))).user.id).toBe('ada');
    expect((await connect(await token({ header: { kid: 'same' }, by: (await makePair('x')).privateKey }))).authentication?.outcome).toBe(
      'unknown',
    );
  });
});

describe('a published key set', () => {
  it('is read once, however many come, and again after half of its time', async () => {
    const { published, jwksUrl } = await publish(keys(ec.jwk));
    const { connect, token, clock } = jwtSite({ jwksUrl });
    const text = await token();
    const clients = await Promise.all(Array.from({ length: 20 }, () => connect(text)));
    expect([clients.every(({ user }) => user.id === 'ada'), published.reads]).toEqual([true, 1]);
    await clock.advance(299_999);
    await connect(text);
    expect(published.reads).toBe(1);
    await clock.advance(1);
    await connect(text);
    await expect.poll(() => published.reads).toBe(2);
  });

  it('is not read for keys that there are not, but once in a while: such tokens are unknown', async () => {
    const { published, jwksUrl } = await publish(keys(ec.jwk));
    const { connect, token, clock, errors } = jwtSite({ jwksUrl });
    await connect(await token());
    const flood = async () => {
      const texts = await Promise.all(Array.from({ length: 50 }, (_, index) => token({ header: { kid: `made-up-${index}` } })));
      return new Set((await Promise.all(texts.map(connect))).map(({ authentication }) => authentication?.outcome));
    };
    expect([await flood(), published.reads]).toEqual([new Set(['unknown']), 1]);
    await clock.advance(30_000);
    expect([await flood(), await flood(), published.reads]).toEqual([new Set(['unknown']), new Set(['unknown']), 2]);
    expect((await connect(await token())).user.id).toBe('ada');
    expect(errors).toEqual([]);
  });

  it('is read by nobody for what cannot be a token of its keys', async () => {
    const { published, jwksUrl } = await publish(keys(ec.jwk));
    const { connect, token } = jwtSite({ jwksUrl });
    await connect('a.b.c');
    await connect(await token({ header: { alg: 'RS256' }, by: rsa.privateKey }));
    expect((await connect(await token({ claims: { iss: 'https://else.example' } }))).authentication?.outcome).toBe('unknown');
    expect(published.reads).toBe(0);
  });

  it('that is down keeps nobody away whose token another source knows', async () => {
    const { published, jwksUrl } = await publish((_request, response) => response.writeHead(500).end());
    const first = fromJwt({ algorithms: ['ES256'], issuer, audience, jwksUrl });
    const second = fromJwt({ name: 'partner', algorithms: ['ES256'], issuer: 'https://partner.example', audience, key: ec.publicKey });
    const { options, clock, errors } = makeSite();
    const channels = new ChannelServer({ connect: withUserFrom(first, second)(() => {}) }, options);
    const connect = async (claims: Readonly<Record<string, unknown>>) =>
      connectTo(channels, { cookies: { key: await tokenAt(clock.now(), { claims }) } });
    expect((await connect({ iss: 'https://partner.example' })).authentication).toMatchObject({ outcome: 'ok', source: 'partner' });
    expect([published.reads, errors]).toEqual([0, []]);
    expect((await connect({})).refusal?.status).toBe(503);
  });

  it('gives rotated keys after the cooldown, and forgets those that are gone when its time is over', async () => {
    const { published, jwksUrl } = await publish(keys(ec.jwk));
    const { connect, token, clock } = jwtSite({ jwksUrl });
    const old = await token();
    await connect(old);
    published.answer = keys(other.jwk);
    const rotated = await token({ header: { kid: 'ec-2' }, by: other.privateKey });
    expect((await connect(rotated)).authentication?.outcome).toBe('unknown');
    await clock.advance(30_000);
    expect((await connect(rotated)).user.id).toBe('ada');
    expect((await connect(old)).authentication?.outcome).toBe('unknown');
    expect(published.reads).toBe(2);
  });

  it('is gone by for as long as it counts while it cannot be read again', async () => {
    const { published, jwksUrl } = await publish(keys(ec.jwk));
    const { connect, token, clock, errors } = jwtSite({ jwksUrl });
    await connect(await token());
    published.answer = (_request, response) => response.writeHead(500).end();
    await clock.advance(599_999);
    expect((await connect(await token())).user.id).toBe('ada');
    await expect.poll(() => published.reads).toBe(2);
    await clock.advance(1_001);
    expect((await connect(await token())).refusal).toEqual({ status: 503 });
    expect(codesOf(errors)).toEqual(['ERR_LOOKUP_FAILED']);
    published.answer = keys(ec.jwk);
    await clock.advance(1_000);
    expect((await connect(await token())).user.id).toBe('ada');
  });

  const big = `{"keys":[${'{"kty":"EC"},'.repeat(30_000)}{}]}`;

  it.each<[string, (response: ServerResponse) => unknown]>([
    ['fails', (response) => response.writeHead(500).end('{}')],
    ['answers a page', (response) => response.setHeader('content-type', 'text/html').end('<!doctype html><title>Sign in</title>')],
    ['answers no key set', (response) => response.end('{"keys":{}}')],
    ['answers null', (response) => response.end('null')],
    ['answers more than any issuer has', (response) => response.end(big)],
    ['leads elsewhere', (response) => response.writeHead(302, { location: '/other' }).end()],
    ['hangs up', (response) => response.destroy()],
    [
      'hangs up in the midst of it',
      (response) => void response.writeHead(200, { 'content-length': '100' }).write('{"keys"', () => response.destroy()),
    ],
    ['answers a broken key of that name', (response) => response.end(JSON.stringify({ keys: [{ ...ec.jwk, x: 'AA' }] }))],
    [
      'answers a private key',
      (response) => response.end(JSON.stringify({ keys: [{ ...ec.privateKey.export({ format: 'jwk' }), kid: 'ec-1' }] })),
    ],
  ])('says that nobody can tell where its server %s, and asks it once for all', async (_what, answer) => {
    const { published, jwksUrl } = await publish((_request, response) => void answer(response));
    const { connect, token, errors } = jwtSite({ jwksUrl });
    const text = await token();
    const clients = [await connect(text), await connect(text), ...(await Promise.all([connect(text), connect(text)]))];
    expect(clients.map(({ refusal }) => refusal?.status)).toEqual([503, 503, 503, 503]);
    expect([new Set(codesOf(errors)), published.reads]).toEqual([new Set(['ERR_LOOKUP_FAILED']), 1]);
  });

  it.each<[string, unknown]>([
    ['another kind of key', { ...rsa.jwk, kid: 'ec-1' }],
    ['a secret', { kty: 'oct', k: 'c2VjcmV0', kid: 'ec-1' }],
    ['a key for encryption', { ...ec.jwk, use: 'enc' }],
    ['a key of another algorithm', { ...ec.jwk, alg: 'ES384' }],
    ['a key of an unheard kind', { kty: 'NEW', kid: 'ec-1' }],
  ])('does not take %s for the one that is named', async (_what, jwk) => {
    const { jwksUrl } = await publish(keys(jwk));
    const { connect, token } = jwtSite({ jwksUrl });
    expect((await connect(await token())).authentication?.outcome).toBe('unknown');
  });

  it('is not waited for longer than jwksTimeoutMs, and is asked again a second later', async () => {
    const held: ServerResponse[] = [];
    const { published, jwksUrl } = await publish((_request, response) => void held.push(response));
    const { connect, token, clock, errors } = jwtSite({ jwksUrl, jwksTimeoutMs: 500 });
    const text = await token();
    const waiting = connect(text);
    await expect.poll(() => held.length).toBe(1);
    await clock.advance(500);
    expect((await waiting).refusal).toEqual({ status: 503 });
    expect(codesOf(errors)).toEqual(['ERR_LOOKUP_FAILED']);
    published.answer = keys(ec.jwk);
    await clock.advance(1_000);
    expect((await connect(text)).user.id).toBe('ada');
    for (const response of held) response.destroy();
  });

  it('is down: nobody can tell', async () => {
    const { connect, token } = jwtSite({ jwksUrl: 'http://127.0.0.1:9/jwks' });
    expect((await connect(await token())).refusal).toEqual({ status: 503 });
  });
});
