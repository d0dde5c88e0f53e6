import { describe, expect, it, vi } from 'vitest';
import {
  anonymousUser,
  ChannelServer,
  fromHttpSession,
  fromToken,
  tokenIdOf,
  withAuthenticatedUser,
  withChannelUser,
  withHttpSession,
  withUserFrom,
  withUserFromToken,
} from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { alice, aliceKey, bob, bobKey, codesOf, expectProcessToLive, makeSite, thrownBy } from '../../support/site.js';
import { waysToFail } from '../../support/ways-to-fail.js';

expectProcessToLive();

/** A server that takes both kinds of client, in the order of `order`. */
function migration(order: 'token first' | 'session first' = 'token first') {
  const site = makeSite();
  const token = fromToken({ tokens: site.tokens });
  const session = fromHttpSession({ sessions: site.sessions, users: site.users });
  const read = vi.spyOn(site.sessions, 'read');
  const wrap = order === 'token first' ? withUserFrom(token, session) : withUserFrom(session, token);
  const connect = (cookies: Readonly<Record<string, string>> = {}) => connectTo({ connect: wrap(() => {}) }, { ...site.options, cookies });
  return { ...site, read, connect };
}

describe('several sources', () => {
  it('serve both kinds of client', async () => {
    const { connect, sessions } = migration();
    const byToken = await connect({ key: aliceKey });
    expect([byToken.user, byToken.authentication?.source]).toEqual([alice, 'token']);
    const bySession = await connect({ sessionid: sessions.create('bob') });
    expect([bySession.user, bySession.authentication?.source]).toEqual([bob, 'http-session']);
  });

  it('are asked in order, and the first that yields a user decides', async () => {
    const one = migration('token first');
    const cookies = { key: aliceKey, sessionid: one.sessions.create('bob') };
    expect((await one.connect(cookies)).user).toBe(alice);
    const other = migration('session first');
    const client = await other.connect({ key: aliceKey, sessionid: other.sessions.create('bob') });
    expect(client.user).toBe(bob);
    expect(client.channel.tokenId).toBeUndefined();
    expect(other.lookUps).toEqual([]);
  });

  it('go on to the next where the first presents something that yields no user', async () => {
    const { connect, sessions } = migration();
    const client = await connect({ key: 'f'.repeat(40), sessionid: sessions.create('bob') });
    expect(client.user).toBe(bob);
    expect(client.authentication).toEqual({ outcome: 'ok', source: 'http-session' });
  });

  it('come to the outcome of the first that presented something, where none yields a user', async () => {
    const stranger = 'f'.repeat(40);
    const { connect, sessions, users } = migration('session first');
    users.delete('bob');
    expect((await connect({ key: stranger })).authentication).toMatchObject({ outcome: 'unknown', tokenId: tokenIdOf(stranger) });
    const both = await connect({ key: stranger, sessionid: sessions.create('bob') });
    expect(both.authentication).toEqual({ outcome: 'inactive-user', source: 'http-session' });
    expect(both.user).toBe(anonymousUser);
    expect((await connect({ key: 'short' })).authentication).toMatchObject({ outcome: 'malformed' });
    expect((await connect()).authentication).toEqual({ outcome: 'missing', source: undefined });
  });

  it('stop at one that fails: it cannot tell, so nobody else may', async () => {
    const { connect, tokens, sessions, errors } = migration();
    vi.spyOn(tokens, 'findById').mockRejectedValue(new Error('down'));
    const client = await connect({ key: aliceKey, sessionid: sessions.create('bob') });
    expect(client.refusal).toEqual({ status: 503 });
    expect(client.user).toBe(anonymousUser);
    expect(codesOf(errors)).toEqual(['ERR_LOOKUP_FAILED']);
  });

  it('read the HTTP session once per handshake, whoever asks', async () => {
    const { connect, sessions, read } = migration();
    await connect({ sessionid: sessions.create('bob') });
    expect(read).toHaveBeenCalledTimes(1);
  });
});

describe('an HTTP session', () => {
  it('without a user is presented and yields none', async () => {
    const { connect, sessions } = migration();
    expect((await connect({ sessionid: sessions.create(undefined) })).authentication).toEqual({
      outcome: 'missing',
      source: 'http-session',
    });
  });

  it.each<[string, () => unknown]>([
    ...waysToFail,
    ['gives garbage', async () => 'bob'],
    ['gives a user without an id', async () => ({ isAuthenticated: true })],
    ['gives false', async () => false],
  ])('whose user cannot be told, since the repository %s, refuses with 503', async (_name, findById) => {
    const { connect, sessions, users, errors } = migration();
    vi.spyOn(users, 'findById').mockImplementation(findById as never);
    const client = await connect({ sessionid: sessions.create('bob') });
    expect(client.refusal).toEqual({ status: 503 });
    expect(codesOf(errors)).toEqual(['ERR_LOOKUP_FAILED']);
  });

  it.each(waysToFail)('whose reader %s refuses with 503', async (_name, read) => {
    const { connect, sessions, errors } = migration();
    vi.spyOn(sessions, 'read').mockImplementation(read as never);
    expect((await connect({ sessionid: sessions.create('bob') })).refusal).toEqual({ status: 503 });
    expect(codesOf(errors)).toEqual(['ERR_LOOKUP_FAILED']);
  });
});

describe('the sources of withUserFrom', () => {
  it.each<[string, () => unknown]>([
    ['none', () => (withUserFrom as () => unknown)()],
    ['a repository', () => withUserFrom(makeSite().tokens as never)],
    ['null', () => withUserFrom(null as never)],
    ['a source that is not made', () => withUserFrom(fromToken as never)],
  ])('are a TypeError where they are %s', (_name, make) => {
    expect(thrownBy(make)).toBeInstanceOf(TypeError);
  });

  it('name themselves in errors of their options', () => {
    expect(thrownBy(() => fromToken({ token: 1 } as never)).message).toMatch(/^fromToken: .*token/);
    expect(thrownBy(() => fromHttpSession({ reader: 1 } as never)).message).toMatch(/^fromHttpSession: .*reader/);
  });
});

it("a source by itself says which it is where its session is nobody's, and not where there is none", async () => {
  const { sessions, users, options } = makeSite();
  const connect = withUserFrom(fromHttpSession({ sessions, users }))(() => {});
  const found = async (cookies: Readonly<Record<string, string>>) => (await connectTo({ connect }, { ...options, cookies })).authentication;
  expect(await found({ sessionid: sessions.create(undefined) })).toEqual({ outcome: 'missing', source: 'http-session' });
  expect(await found({})).toEqual({ outcome: 'missing', source: undefined });
});

describe('identification by a later slot', () => {
  it('runs at connect, before the connect handler', async () => {
    const { tokens, options, lookUps } = makeSite();
    const seen: unknown[] = [];
    const handlers = {
      connect: withChannelUser((message) => void seen.push(message.kind, message.user, message.authentication?.outcome)),
      receive: withUserFrom(fromToken({ tokens }))(
        (message: { kind: string; user: unknown }) => void seen.push(message.kind, message.user),
      ),
    };
    const client = await connectTo(handlers, { ...options, cookies: { key: aliceKey } });
    expect(seen).toEqual(['connect', alice, 'ok']);
    await client.send('1');
    await client.send('2');
    expect(seen.slice(3)).toEqual(['receive', alice, 'receive', alice]);
    expect(lookUps).toHaveLength(1);
  });

  it('reads the HTTP session that the later slot wants at connect, for whoever comes first and for all others', async () => {
    const { tokens, sessions, options } = makeSite();
    const seen: unknown[] = [];
    const connect = withUserFromToken({ tokens })(() => {});
    const receive = withHttpSession({ sessions })(({ httpSession }) => void seen.push(httpSession?.id));
    const server = new ChannelServer({ connect, receive }, options);
    const ids = Array.from({ length: 3 }, () => sessions.create('alice'));
    for (const sessionid of ids) await (await connectTo(server, { cookies: { key: aliceKey, sessionid } })).send('1');
    expect(seen).toEqual(ids);
  });

  it('serves a connect handler that no wrapper wraps', async () => {
    const { tokens, options } = makeSite();
    const seen: unknown[] = [];
    const connect = (message: { channel: { user: unknown }; authentication: unknown }): void => {
      seen.push(message.channel.user, message.authentication);
    };
    const disconnect = withUserFrom(fromToken({ tokens }))(() => {});
    await connectTo({ connect, disconnect }, { ...options, cookies: { key: bobKey } });
    expect(seen[0]).toBe(bob);
    expect(seen[1]).toMatchObject({ outcome: 'ok' });
  });

  it('refuses before the connect handler where it fails', async () => {
    const { options, errors } = makeSite();
    const connect = vi.fn();
    const tokens = { findById: () => Promise.reject(new Error('down')) };
    const receive = withUserFrom(fromToken({ tokens }))(() => {});
    expect((await connectTo({ connect, receive }, { ...options, cookies: { key: aliceKey } })).refusal).toEqual({ status: 503 });
    expect(connect).not.toHaveBeenCalled();
    expect(codesOf(errors)).toEqual(['ERR_LOOKUP_FAILED']);
  });

  it('does not refuse the anonymous at connect: the guard of the later slot does that', async () => {
    const { tokens, options } = makeSite();
    const receive = withUserFrom(fromToken({ tokens }))(withAuthenticatedUser(() => {}));
    const client = await connectTo({ receive }, options);
    expect(client.refusal).toBeUndefined();
    await client.send('x');
    expect(client.closed?.code).toBe(3000);
  });
});
