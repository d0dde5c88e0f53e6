import type { IncomingMessage } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import {
  ChannelServer,
  defineSource,
  fromToken,
  identifyUser,
  query,
  type SourceContext,
  type SourceFinding,
  tokenIdOf,
  withAuthenticatedUser,
  withUserFrom,
  withUserFromToken,
} from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { fakeRequest } from '../../../testing/fake-request.js';
import { deferred } from '../../support/deferred.js';
import { alice, codesOf, expectProcessToLive, aliceKey as key, makeSite, thrownBy } from '../../support/site.js';

expectProcessToLive();

const handlersOf = (...sources: Parameters<typeof withUserFrom>) => {
  const connect = vi.fn();
  return { connect: withUserFrom(...sources)(connect), called: connect };
};

/** Connects to a server with the source that `find` makes. */
async function connectBy(find: (request: IncomingMessage, context: SourceContext) => unknown) {
  const site = makeSite();
  const { connect, called } = handlersOf(defineSource('own', find as () => SourceFinding));
  const client = await connectTo({ connect }, { ...site.options, headers: { authorization: `Bearer ${key}` } });
  return { ...site, client, called };
}

describe('defineSource', () => {
  it('finds a user at once or in a promise, with all that is known of the credential', async () => {
    const finding: SourceFinding = { outcome: 'ok', user: alice, carrier: 'authorization', tokenId: tokenIdOf(key), scopes: ['read'] };
    for (const find of [() => finding, async () => finding]) {
      const { client } = await connectBy(find);
      expect(client.user).toBe(alice);
      expect(client.authentication).toEqual({
        outcome: 'ok',
        source: 'own',
        carrier: 'authorization',
        tokenId: tokenIdOf(key),
        scopes: ['read'],
      });
      expect(client.channel.tokenId).toBe(tokenIdOf(key));
    }
  });

  it.each(['malformed', 'unknown', 'expired', 'revoked', 'inactive-user'] as const)('passes on the outcome %s', async (outcome) => {
    const { client, errors, called } = await connectBy(() => ({ outcome, user: alice, carrier: 'header' }));
    expect(client.authentication).toEqual({ outcome, source: 'own', carrier: 'header' });
    expect([client.user.id, client.refusal, errors, called.mock.calls.length]).toEqual([null, undefined, [], 1]);
  });

  it('names no source where it says that nothing was presented', async () => {
    const { client } = await connectBy(() => ({ outcome: 'missing' }));
    expect(client.authentication).toEqual({ outcome: 'missing', source: undefined });
  });

  it.each([
    ['throws', () => Promise.reject(new Error('the introspection endpoint is down'))],
    ['throws at once', () => thrown()],
    ['returns nothing', () => undefined],
    ['returns null', () => null],
    ['returns a list', () => []],
    ['returns a user', () => alice],
    ['says an outcome that there is not', () => ({ outcome: 'fine', user: alice })],
    ['says an inherited outcome', () => ({ outcome: 'toString', user: alice })],
    ['says ok without a user', () => ({ outcome: 'ok' })],
    ['finds a user without an id', () => ({ outcome: 'ok', user: { isAuthenticated: true } })],
    ['finds an anonymous user', () => ({ outcome: 'ok', user: { id: 'ada', isAuthenticated: false } })],
    ['gives an id of no token', () => ({ outcome: 'ok', user: alice, tokenId: key })],
    ['gives an end that is no date', () => ({ outcome: 'ok', user: alice, expiresAt: 1_700_000_000 })],
    ['gives an invalid date', () => ({ outcome: 'ok', user: alice, expiresAt: new Date(Number.NaN) })],
    ['gives an invalid date of issue', () => ({ outcome: 'ok', user: alice, issuedAt: 'today' })],
    ['gives scopes that are no list', () => ({ outcome: 'ok', user: alice, scopes: 'read write' })],
    ['gives scopes that are no strings', () => ({ outcome: 'ok', user: alice, scopes: [1] })],
    ['gives scopes with a hole', () => ({ outcome: 'ok', user: alice, scopes: Array(1) })],
    ['gives a carrier that is no name', () => ({ outcome: 'unknown', carrier: 7 })],
  ])('cannot tell where find %s: 503, reported with its cause', async (_how, find) => {
    const { client, errors, called } = await connectBy(find);
    expect([client.refusal, codesOf(errors), called.mock.calls]).toEqual([{ status: 503 }, ['ERR_LOOKUP_FAILED'], []]);
  });

  it('names the source and the member where what find returned is wrong', async () => {
    const { errors } = await connectBy(() => ({ outcome: 'ok', user: alice, expiresAt: 5 }));
    const { cause } = errors[0] as Error;
    expect(cause).toBeInstanceOf(TypeError);
    expect((cause as Error).message).toMatch(/defineSource\("own"\).*expiresAt/);
  });

  it('ends the channel at expiresAt, by the clock of the server', async () => {
    const { clock, options } = makeSite();
    const find = (_request: IncomingMessage, context: SourceContext) =>
      ({ outcome: 'ok', user: alice, expiresAt: new Date(context.clock.now() + 5_000) }) as const;
    const client = await connectTo({ connect: withUserFrom(defineSource('own', find))(() => {}) }, options);
    expect(client.authentication?.expiresAt).toEqual(new Date(clock.now() + 5_000));
    await clock.advance(4_999);
    expect(client.closed).toBeUndefined();
    await clock.advance(1_000);
    expect(client.closed).toEqual({ code: 3000, reason: 'token expired' });
  });

  it('finds nobody where it says ok and the end is past', async () => {
    const { client } = await connectBy((_request, { clock }) => ({ outcome: 'ok', user: alice, expiresAt: new Date(clock.now()) }));
    expect([client.user.id, client.authentication]).toEqual([null, { outcome: 'expired', source: 'own' }]);
  });

  it('lets its channels be found and ended by token and by user', async () => {
    const { options } = makeSite();
    const tokenId = tokenIdOf(key);
    const connect = withUserFrom(defineSource('own', () => ({ outcome: 'ok', user: alice, tokenId })))(() => {});
    const server = new ChannelServer({ connect }, options);
    const [one, other] = [await connectTo(server), await connectTo(server)];
    expect(server.channels.ofToken(tokenId)).toEqual([one.channel, other.channel]);
    expect(await server.disconnectToken(tokenId)).toBe(2);
    expect(one.closed).toEqual({ code: 3000, reason: 'token revoked' });
    const third = await connectTo(server);
    expect(await server.disconnectUser('alice')).toBe(1);
    expect(third.closed).toEqual({ code: 3000, reason: 'user inactive' });
  });

  it('stands beside other sources, is asked in its turn, and refuses nobody by itself', async () => {
    const { tokens, options } = makeSite();
    const own = defineSource('gateway', ({ headers }) =>
      headers['x-user'] === undefined
        ? { outcome: 'missing' }
        : { outcome: 'ok', user: { id: String(headers['x-user']), isAuthenticated: true }, carrier: 'header' },
    );
    const connect = withUserFrom(fromToken({ tokens }), own)(withAuthenticatedUser(() => {}));
    const server = new ChannelServer({ connect }, options);
    const byToken = await connectTo(server, { cookies: { key }, headers: { 'x-user': 'carol' } });
    expect([byToken.user.id, byToken.authentication?.source]).toEqual(['alice', 'token']);
    const byHeader = await connectTo(server, { cookies: { key: 'short' }, headers: { 'x-user': 'carol' } });
    expect([byHeader.user.id, byHeader.authentication]).toEqual(['carol', { outcome: 'ok', source: 'gateway', carrier: 'header' }]);
    expect((await connectTo(server)).refusal).toEqual({ status: 401 });
    const identified = await identifyUser(fakeRequest({ headers: { 'x-user': 'carol' } }), { sources: [own] });
    expect(identified.user.id).toBe('carol');
  });

  it('aborts its signal at the deadline and when the client leaves, and the late answer is nobody’s', async () => {
    const { clock, options } = makeSite();
    const signals: AbortSignal[] = [];
    const own = defineSource('slow', (_request, { signal }) => {
      signals.push(signal);
      return new Promise<SourceFinding>((resolve) => {
        signal.addEventListener('abort', () => resolve({ outcome: 'ok', user: alice }));
      });
    });
    const { connect, called } = handlersOf(own);
    const server = new ChannelServer({ connect }, { ...options, connectTimeoutMs: 1_000 });
    const waiting = connectTo(server);
    await clock.advance(1_000);
    expect((await waiting).refusal).toEqual({ status: 503 });
    const refused = expect(identifyUser(fakeRequest({ headers: {} }), { sources: [own], timeoutMs: 1 })).rejects.toMatchObject({
      code: 'ERR_LOOKUP_TIMEOUT',
    });
    await refused;
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    const request = fakeRequest({});
    const left = identifyUser(request, { sources: [own] });
    request.socket.emit('close');
    expect((await left).user).toBe(alice);
    expect([signals[2]?.aborted, request.socket.listenerCount('close'), called.mock.calls]).toEqual([true, 0, []]);
  });

  it('gives one that asks for it only after the deadline a signal that is aborted', async () => {
    const asking = deferred();
    const answered = deferred<boolean>();
    const own = defineSource('slow', async (_request, context) => {
      await asking.promise;
      answered.resolve(context.signal.aborted);
      return { outcome: 'missing' };
    });
    await expect(identifyUser(fakeRequest({}), { sources: [own], timeoutMs: 1 })).rejects.toMatchObject({ code: 'ERR_LOOKUP_TIMEOUT' });
    asking.resolve();
    expect(await answered.promise).toBe(true);
  });

  it('keeps the parameters of its places from handlers', async () => {
    const { options } = makeSite();
    const place = query('access');
    const own = defineSource('own', (request) => ({ outcome: place.find(request).kind === 'key' ? 'unknown' : 'missing' }), {
      from: place,
    });
    const urls: (string | undefined)[] = [];
    const client = await connectTo(
      { connect: withUserFrom(own)(() => {}), receive: (message) => void urls.push(message.request.url) },
      { ...options, url: `/?access=${key}` },
    );
    await client.send('hello');
    expect(urls).toEqual(['/?access=***']);
  });

  it('is named by the advice to join it with what identifies differently in the same slot', () => {
    const { tokens, options } = makeSite();
    const own = defineSource('own', (): SourceFinding => ({ outcome: 'missing' }));
    const nested = withUserFrom(own)(withUserFromToken({ tokens })(() => {}));
    const error = thrownBy(() => new ChannelServer({ connect: nested }, options));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain('withUserFrom(defineSource("own"), fromToken())');
    expect(() => new ChannelServer({ connect: withUserFrom(own)(withUserFrom(own)(() => {})) }, options)).not.toThrow();
  });

  it('says at once what is wrong with an argument', () => {
    const find = () => ({ outcome: 'missing' }) as const;
    const bad: (() => unknown)[] = [
      ...['', ' ', 'token', 'http-session', 'jwt', 'anonymous', 'a\nb', 'a'.repeat(65), 7, undefined].map(
        (name) => () => defineSource(name as string, find),
      ),
      ...[undefined, null, {}, 'find'].map((one) => () => defineSource('own', one as never)),
      ...[
        { recheck: 1 },
        { recheckMany: {} },
        { findByKey: '' },
        { until: 'tomorrow' },
        { revalidate: 5 },
        { from: 'key' },
        { what: 1 },
      ].map((options) => () => defineSource('own', find, options as never)),
    ];
    for (const run of bad) expect(thrownBy(run)).toBeInstanceOf(TypeError);
  });
});

function thrown(): never {
  throw new Error('down');
}
