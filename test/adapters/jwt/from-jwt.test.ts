import { createSecretKey, generateKeyPairSync, webcrypto } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { fromToken, identifyKey, identifyUser, query, subprotocol, ticket, tokenIdOf, withUserFrom } from '../../../entries/index.js';
import { fromJwt, type JwtClaims, jwtTokenId } from '../../../entries/jwt.js';
import { connectTo } from '../../../entries/testing.js';
import { MemoryRevocationFeed } from '../../../src/feeds/memory-revocation-feed.js';
import { aliceKey, codesOf, expectProcessToLive, makeSite, thrownBy } from '../../support/site.js';
import { audience, ec, issuer, jwtSite, rsa, tokenAt } from './tokens.js';

expectProcessToLive();

const secret = 's'.repeat(32);
const pem = String(ec.publicKey.export({ type: 'spki', format: 'pem' }));
const demands = { issuer, audience, algorithms: ['ES256'] as const, key: ec.publicKey };

describe('fromJwt', () => {
  it('finds the user of a token, its id, its end and its scopes', async () => {
    const { connect, token, clock } = jwtSite();
    const client = await connect(await token({ claims: { scope: 'read write' } }));
    expect(client.user).toEqual({ id: 'ada', isAuthenticated: true });
    expect(client.authentication).toEqual({
      outcome: 'ok',
      source: 'jwt',
      carrier: 'cookie',
      tokenId: jwtTokenId({ iss: issuer, jti: 'token-1' }),
      expiresAt: new Date((Math.floor(clock.now() / 1_000) + 3_600) * 1_000),
      scopes: ['read', 'write'],
    });
  });

  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['no issuer', { iss: undefined }, 'malformed'],
    ['another issuer', { iss: 'https://evil.example' }, 'unknown'],
    ['an issuer that begins like it', { iss: `${issuer}/` }, 'unknown'],
    ['an issuer that is no string', { iss: [issuer] }, 'unknown'],
    ['no audience', { aud: undefined }, 'malformed'],
    ['another audience', { aud: 'shop' }, 'unknown'],
    ['other audiences', { aud: ['shop', 'blog'] }, 'unknown'],
    ['no end', { exp: undefined }, 'malformed'],
    ['an end that is no number', { exp: 'tomorrow' }, 'malformed'],
    ['an end that is past', { exp: 1 }, 'expired'],
    ['a beginning that is to come', { nbf: 32_503_680_000 }, 'unknown'],
    ['a beginning that is no number', { nbf: '0' }, 'malformed'],
    ['a date of issue that is no number', { iat: 'now' }, 'malformed'],
    ['no subject', { sub: undefined }, 'malformed'],
    ['an empty subject', { sub: '' }, 'malformed'],
    ['a subject that is no string', { sub: 7 }, 'malformed'],
    ['a name that is no string', { jti: 7 }, 'malformed'],
  ])('takes no token with %s', async (_what, claims, outcome) => {
    const { connect, token, errors } = jwtSite();
    const client = await connect(await token({ claims }));
    expect([client.user.id, client.authentication?.outcome, client.refusal, errors]).toEqual([null, outcome, undefined, []]);
  });

  it('takes one of several issuers and audiences', async () => {
    const { connect, token } = jwtSite({ issuer: ['https://other.example', issuer], audience: ['admin', audience] });
    expect((await connect(await token({ claims: { aud: ['shop', audience] } }))).user.id).toBe('ada');
  });

  it('takes no token that is not signed, or signed by another key or in another way', async () => {
    const { connect, token, clock, errors } = jwtSite({ algorithms: ['RS256'], key: rsa.publicKey });
    const outcomeOf = async (text: string) => (await connect(text)).authentication?.outcome;
    const good = await token({ header: { alg: 'RS256' }, by: rsa.privateKey });
    expect(await outcomeOf(good)).toBe('ok');
    const [, payload = ''] = good.split('.');
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    for (const alg of ['none', 'None', 'NONE', '']) {
      expect(await outcomeOf(`${encode({ alg })}.${payload}.`)).toBe('malformed');
      expect(await outcomeOf(`${encode({ alg })}.${payload}.AA`)).toBe('malformed');
    }
    // the public key as the secret of an HMAC: who takes the token's word for the algorithm lets anybody sign
    const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' });
    const confused = await token({ header: { alg: 'HS256' }, by: new TextEncoder().encode(String(pem)) });
    expect(await outcomeOf(confused)).toBe('malformed');
    expect(await outcomeOf(await tokenAt(clock.now()))).toBe('malformed');
    expect(await outcomeOf(`${good.slice(0, -6)}AAAAAA`)).toBe('unknown');
    expect(await outcomeOf(`${encode({ alg: 'RS256', crit: ['x'], x: 1 })}.${payload}.AA`)).toBe('malformed');
    expect(errors).toEqual([]);
  });

  it.each([
    ['words', 'not a token at all'],
    ['an opaque key', aliceKey],
    ['two parts', 'aaaa.bbbb'],
    ['five parts', 'a.b.c.d.e'],
    ['another alphabet', 'aaaa.bb+b.cccc'],
    ['no JSON', 'aaaa.bbbb.cccc'],
    ['more than 8 KiB', `${'a'.repeat(8_190)}.b.c`],
  ])('calls %s malformed', async (_what, text) => {
    const { connect, errors } = jwtSite();
    expect([(await connect(text)).authentication, errors]).toEqual([{ outcome: 'malformed', source: 'jwt', carrier: 'cookie' }, []]);
  });

  it('takes tokens of up to 8 KiB in each place', async () => {
    const { clock, options } = makeSite();
    const long = await tokenAt(clock.now(), { claims: { padding: 'x'.repeat(5_000) } });
    expect(long.length).toBeGreaterThan(6_500);
    const source = fromJwt({ ...demands, from: [subprotocol('jwt.'), query('jwt')] });
    const handlers = { connect: withUserFrom(source)(() => {}) };
    const bySubprotocol = await connectTo(handlers, { ...options, protocols: ['chat', `jwt.${long}`] });
    expect(bySubprotocol.authentication).toMatchObject({ outcome: 'ok', carrier: 'subprotocol' });
    const byQuery = await connectTo(handlers, { ...options, url: `/?jwt=${long}` });
    expect(byQuery.authentication).toMatchObject({ outcome: 'ok', carrier: 'query' });
  });

  it('compares times with the clock of the server, to clockToleranceMs', async () => {
    const strict = jwtSite();
    const token = await strict.token();
    await strict.clock.advance(3_600_000);
    expect((await strict.connect(token)).authentication?.outcome).toBe('expired');
    const lenient = jwtSite({ clockToleranceMs: 5_000 });
    const early = await lenient.token({ claims: { nbf: Math.floor(lenient.clock.now() / 1_000) + 5 } });
    expect((await lenient.connect(early)).authentication?.outcome).toBe('ok');
    await lenient.clock.advance(3_602_000);
    const late = await lenient.connect(early);
    expect(late.authentication?.outcome).toBe('ok');
    await lenient.clock.advance(4_000);
    expect(late.closed).toEqual({ code: 3000, reason: 'token expired' });
  });

  it('ends the channel at exp', async () => {
    const { connect, token, clock } = jwtSite();
    const client = await connect(await token({ claims: { exp: Math.floor(clock.now() / 1_000) + 10 } }));
    await clock.advance(8_999);
    expect(client.closed).toBeUndefined();
    await clock.advance(2_000);
    expect(client.closed).toEqual({ code: 3000, reason: 'token expired' });
  });

  it('takes tokens without an end where it may, and keeps those that end far off', async () => {
    const { connect, token } = jwtSite({ requireExpiry: false });
    const endless = await connect(await token({ claims: { exp: undefined } }));
    expect(endless.authentication).not.toHaveProperty('expiresAt');
    expect((await connect(await token({ claims: { exp: 1e300 } }))).authentication?.outcome).toBe('ok');
  });

  it('asks the application for the user, and whether the token was revoked', async () => {
    const user = vi.fn(async ({ sub = '' }: JwtClaims) =>
      sub === 'gone' ? undefined : { id: `user-${sub}`, isAuthenticated: true as const },
    );
    const isRevoked = ({ jti }: JwtClaims): boolean => jti === 'stolen';
    const { connect, token } = jwtSite({ user, isRevoked });
    expect((await connect(await token())).user.id).toBe('user-ada');
    expect((await connect(await token({ claims: { sub: 'gone' } }))).authentication?.outcome).toBe('inactive-user');
    expect((await connect(await token({ claims: { jti: 'stolen' } }))).authentication?.outcome).toBe('revoked');
    expect(user.mock.calls.map(([{ sub }]) => sub)).toEqual(['ada', 'gone']);
  });

  it.each([
    ['user fails', { user: () => Promise.reject(new Error('down')) }],
    ['user finds no user', { user: () => ({ name: 'Ada' }) as never }],
    ['isRevoked fails', { isRevoked: () => Promise.reject(new Error('down')) }],
    ['isRevoked says neither yes nor no', { isRevoked: () => undefined as never }],
  ])('cannot tell where %s', async (_what, options) => {
    const { connect, token, errors } = jwtSite(options);
    expect([(await connect(await token())).refusal, codesOf(errors)]).toEqual([{ status: 503 }, ['ERR_LOOKUP_FAILED']]);
  });

  it('ends channels by the name of their token, and of tokens without one by what was signed', async () => {
    const { connect, token, channels } = jwtSite();
    const named = await connect(await token());
    expect(await channels.disconnectToken(jwtTokenId({ iss: issuer, jti: 'token-1' }))).toBe(1);
    expect(named.closed).toEqual({ code: 3000, reason: 'token revoked' });
    const text = await token({ claims: { jti: undefined } });
    const nameless = await connect(text);
    expect(channels.channels.ofToken(jwtTokenId(text))).toEqual([nameless.channel]);
    expect(jwtTokenId(`${text.slice(0, text.lastIndexOf('.'))}.AAAA`)).toBe(jwtTokenId(text));
    expect(await channels.disconnectToken(jwtTokenId(text))).toBe(1);
  });

  it('ends channels whose token was issued before a moment, and looks the others up again', async () => {
    const feed = new MemoryRevocationFeed();
    const isRevoked = vi.fn(() => false);
    const { connect, token, clock } = jwtSite({ isRevoked }, { revocations: feed });
    await clock.advance(60_000);
    const seconds = Math.floor(clock.now() / 1_000);
    const old = await connect(await token({ claims: { jti: 'old', iat: seconds - 60 } }));
    await clock.advance(1_000);
    const moment = new Date(clock.now());
    await clock.advance(1_000);
    const late = await connect(await token({ claims: { jti: 'late', iat: seconds - 30 } }));
    const young = await connect(await token({ claims: { jti: 'young', iat: seconds + 2 } }));
    isRevoked.mockClear();
    feed.tell({ userId: 'ada', issuedBefore: moment });
    await clock.advance(0);
    expect([old, late, young].map(({ closed }) => closed?.reason)).toEqual(['token revoked', 'token revoked', undefined]);
    expect(isRevoked).toHaveBeenCalledTimes(1);
  });

  it('asks user and isRevoked again in sweeps', async () => {
    const revoked = new Set<string>();
    const users = new Map([['ada', { id: 'ada', isAuthenticated: true as const }]]);
    const options = { user: ({ sub = '' }: JwtClaims) => users.get(sub), isRevoked: ({ jti = '' }: JwtClaims) => revoked.has(jti) };
    const { connect, token, clock } = jwtSite(options);
    const [one, other] = [await connect(await token()), await connect(await token({ claims: { jti: 'token-2' } }))];
    revoked.add('token-2');
    await clock.advance(60_000);
    expect([one.closed, other.closed]).toEqual([undefined, { code: 3000, reason: 'token revoked' }]);
    users.delete('ada');
    await clock.advance(60_000);
    expect(one.closed).toEqual({ code: 3000, reason: 'user inactive' });
  });

  it('lets a channel go over to a newer token of its user', async () => {
    const { connect, token, clock, channels } = jwtSite();
    const client = await connect(await token({ claims: { exp: Math.floor(clock.now() / 1_000) + 60 } }));
    expect(await client.channel.reauthenticate(await token({ claims: { sub: 'bob', jti: 'token-2' } }))).toBe(false);
    expect(await client.channel.reauthenticate(await token({ claims: { jti: 'token-2' } }))).toBe(true);
    expect(channels.channels.ofToken(jwtTokenId({ iss: issuer, jti: 'token-2' }))).toEqual([client.channel]);
    await clock.advance(120_000);
    expect(client.closed).toBeUndefined();
    await expect(client.channel.reauthenticate('short')).rejects.toThrow(TypeError);
  });

  it('stands beside other sources, and where there is no channel', async () => {
    const { tokens, clock, options } = makeSite();
    const source = fromJwt({ ...demands, name: 'partner' });
    const handlers = { connect: withUserFrom(fromToken({ tokens }), source)(() => {}) };
    const jwt = await tokenAt(clock.now());
    const byJwt = await connectTo(handlers, { ...options, cookies: { key: jwt } });
    expect([byJwt.user.id, byJwt.authentication?.source]).toEqual(['ada', 'partner']);
    const byToken = await connectTo(handlers, { ...options, cookies: { key: aliceKey } });
    expect([byToken.user.id, byToken.channel.tokenId]).toEqual(['alice', tokenIdOf(aliceKey)]);
    const now = await tokenAt(Date.now());
    expect((await identifyKey(now, { source })).user.id).toBe('ada');
    expect((await identifyUser(byJwtRequest(now), { sources: [source] })).authentication.source).toBe('partner');
  });

  it('demands the type of the token where it is told', async () => {
    const { connect, token } = jwtSite({ typ: 'at+jwt' });
    expect((await connect(await token({ header: { typ: 'at+jwt' } }))).authentication?.outcome).toBe('ok');
    expect((await connect(await token({ header: { typ: 'JWT' } }))).authentication?.outcome).toBe('unknown');
    expect((await connect(await token())).authentication?.outcome).toBe('unknown');
  });

  it('takes the key in each form, and secrets', async () => {
    const cryptoKey = await webcrypto.subtle.importKey('jwk', ec.jwk, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']);
    for (const key of [pem, Buffer.from(pem), ec.jwk, cryptoKey, ec.privateKey]) {
      const { connect, token } = jwtSite({ key });
      expect((await connect(await token())).user.id).toBe('ada');
    }
    for (const given of [secret, new TextEncoder().encode(secret), createSecretKey(secret, 'utf8')]) {
      const { connect, token } = jwtSite({ algorithms: ['HS256'], secret: given });
      const by = new TextEncoder().encode(secret);
      expect((await connect(await token({ header: { alg: 'HS256' }, by }))).user.id).toBe('ada');
      expect((await connect(await token({ header: { alg: 'HS256' }, by: by.slice(1) }))).authentication?.outcome).toBe('unknown');
    }
  });

  it.each<[string, object]>([
    ['no options', {}],
    ['no algorithms', { ...demands, algorithms: undefined }],
    ['an empty list of algorithms', { ...demands, algorithms: [] }],
    ['the algorithm none', { ...demands, algorithms: ['none'] }],
    ['none beside others', { ...demands, algorithms: ['ES256', 'none'] }],
    ['an inherited algorithm', { ...demands, algorithms: ['toString'] }],
    ['an algorithm that is no list', { ...demands, algorithms: 'ES256' }],
    ['a hole in the algorithms', { ...demands, algorithms: Array(1) }],
    ['a hole in the issuers', { ...demands, issuer: Array(1) }],
    ['no issuer', { ...demands, issuer: undefined }],
    ['an empty issuer', { ...demands, issuer: '' }],
    ['an empty list of issuers', { ...demands, issuer: [] }],
    ['no audience', { ...demands, audience: undefined }],
    ['an empty list of audiences', { ...demands, audience: [] }],
    ['no key', { ...demands, key: undefined }],
    ['two keys', { ...demands, jwks: { keys: [ec.jwk] } }],
    ['HMAC with a public key', { ...demands, algorithms: ['HS256'] }],
    ['HMAC beside others with a public key', { ...demands, algorithms: ['ES256', 'HS256'] }],
    ['HMAC with a key set', { ...demands, key: undefined, jwks: { keys: [ec.jwk] }, algorithms: ['HS256'] }],
    ['HMAC with the URL of one', { ...demands, key: undefined, jwksUrl: 'https://id.example.com/jwks', algorithms: ['HS512'] }],
    ['a public algorithm with a secret', { ...demands, key: undefined, secret, algorithms: ['RS256'] }],
    ['PEM as a secret', { ...demands, key: undefined, secret: `-----BEGIN PUBLIC KEY-----${secret}`, algorithms: ['HS256'] }],
    ['PEM as the bytes of a secret', { ...demands, key: undefined, secret: Buffer.from(pem), algorithms: ['HS256'] }],
    ['PEM as the secret of a key object', { ...demands, key: undefined, secret: createSecretKey(pem, 'utf8'), algorithms: ['HS256'] }],
    ['a public key as a secret', { ...demands, key: undefined, secret: ec.publicKey, algorithms: ['HS256'] }],
    ['a short secret in a key object', { ...demands, key: undefined, secret: createSecretKey('short', 'utf8'), algorithms: ['HS256'] }],
    ['a short secret', { ...demands, key: undefined, secret: 'short', algorithms: ['HS256'] }],
    ['a secret too short for one of them', { ...demands, key: undefined, secret, algorithms: ['HS256', 'HS512'] }],
    ['an algorithm of another kind of key', { ...demands, algorithms: ['RS256'] }],
    ['an algorithm of another curve', { ...demands, algorithms: ['ES384'] }],
    [
      'an RSA key that is too short',
      { ...demands, key: generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey, algorithms: ['RS256'] },
    ],
    ['a key that is none', { ...demands, key: 'key' }],
    ['bytes that are no key', { ...demands, key: Buffer.from('key') }],
    ['a key set that is none', { ...demands, key: undefined, jwks: { keys: 'none' } }],
    ['a key set with a private key', { ...demands, key: undefined, jwks: { keys: [ec.jwk, { ...ec.jwk, d: 'AAAA' }] } }],
    ['a URL that is none', { ...demands, key: undefined, jwksUrl: 'id.example.com' }],
    ['a URL of another scheme', { ...demands, key: undefined, jwksUrl: 'file:///jwks.json' }],
    ['a negative tolerance', { ...demands, clockToleranceMs: -1 }],
    ['a name of another source', { ...demands, name: 'token' }],
    ['tickets', { ...demands, from: ticket() }],
    ['an option that there is not', { ...demands, leeway: 5 }],
  ])('refuses to be made with %s', (_what, options) => {
    const error = thrownBy(() => fromJwt(options as never));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/^fromJwt: /);
    expect(error.message).not.toContain(secret);
  });
});

describe('jwtTokenId', () => {
  it('says what it cannot name', () => {
    for (const bad of ['', 'key', 'a.b.c', {}, { iss: issuer }, { jti: 'x' }, null, 7]) {
      expect(thrownBy(() => jwtTokenId(bad as never))).toBeInstanceOf(TypeError);
    }
  });

  it('tells issuers apart', () => {
    const ids = [
      jwtTokenId({ iss: 'a', jti: 'bc' }),
      jwtTokenId({ iss: 'b', jti: 'bc' }),
      jwtTokenId({ iss: 'ab', jti: 'c' }),
      jwtTokenId({ iss: 'bc', jti: 'a' }),
    ];
    expect(new Set(ids).size).toBe(4);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{64}$/);
  });
});

function byJwtRequest(token: string): never {
  return { headers: { cookie: `key=${token}` }, url: '/', method: 'GET' } as never;
}
