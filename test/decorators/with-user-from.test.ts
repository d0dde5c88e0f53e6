import { describe, expect, it, vi } from 'vitest';
import {
  ChannelServer,
  defineSource,
  fromHttpSession,
  fromToken,
  type HasHttpSession,
  type HasUser,
  withAuthenticatedUser,
  withHttpSession,
  withUserFrom,
  withUserFromToken,
} from '../../entries/index.js';
import { connectTo } from '../../entries/testing.js';
import { alice, aliceKey, bob, codesOf, expectProcessToLive, makeSite, thrownBy } from '../support/site.js';

expectProcessToLive();

/** A server of one handler in all slots that takes tokens and HTTP sessions, and what that handler saw. */
function migration() {
  const site = makeSite();
  const { tokens, sessions, users, options } = site;
  const wrap = withUserFrom(fromToken({ tokens }), fromHttpSession({ sessions, users }));
  const seen: [string | null, unknown][] = [];
  const note = wrap((message: HasUser & HasHttpSession) => void seen.push([message.user.id, message.httpSession?.data]));
  const handlers = { connect: note, receive: note, disconnect: note };
  const connect = (cookies: Readonly<Record<string, string>>) => connectTo(handlers, { ...options, cookies });
  return { ...site, wrap, seen, connect };
}

describe('withUserFrom, by kind of message', () => {
  it('knows a token client on every message, and asks no reader again for it', async () => {
    const { connect, seen, sessions, lookUps } = migration();
    const readById = vi.spyOn(sessions, 'readById');
    const client = await connect({ key: aliceKey });
    await client.send('a');
    await client.disconnect();
    expect(seen).toEqual(Array(3).fill(['alice', undefined]));
    expect(lookUps).toHaveLength(1);
    expect(readById).not.toHaveBeenCalled();
  });

  it('knows a web client on every message, with the HTTP session read again', async () => {
    const { connect, seen, sessions, lookUps } = migration();
    const client = await connect({ sessionid: sessions.create('bob', { theme: 'dark' }) });
    await client.send('a');
    await client.disconnect();
    expect(seen).toEqual(Array(3).fill(['bob', { theme: 'dark' }]));
    expect(lookUps).toEqual([]);
  });

  it('gives who comes with both the user of the first source, and the HTTP session as well', async () => {
    const { connect, seen, sessions } = migration();
    const id = sessions.create('bob', { theme: 'dark' });
    const client = await connect({ key: aliceKey, sessionid: id });
    await client.send('a');
    sessions.destroy(id);
    await client.send('b');
    expect(seen).toEqual([
      ['alice', { theme: 'dark' }],
      ['alice', { theme: 'dark' }],
      ['alice', undefined],
    ]);
    expect(client.closed).toBeUndefined();
  });

  it('gives in later slots what connect found, although they name other sources', async () => {
    const { tokens, sessions, users, options } = makeSite();
    const seen: unknown[] = [];
    const readById = vi.spyOn(sessions, 'readById');
    const client = await connectTo(
      {
        connect: withUserFromToken({ tokens })(() => {}),
        receive: withUserFrom(fromHttpSession({ sessions, users }))((message) => void seen.push(message.user, message.httpSession?.userId)),
      },
      { ...options, cookies: { key: aliceKey, sessionid: sessions.create('bob') } },
    );
    await client.send('a');
    expect(seen).toEqual([alice, 'bob']);
    expect(client.authentication?.source).toBe('token');
    expect(readById).toHaveBeenCalled();
  });

  it('gives the user of the HTTP session to a guard inside of it', async () => {
    const { sessions, users, options } = makeSite();
    const seen: unknown[] = [];
    const connect = withUserFrom(fromHttpSession({ sessions, users }))(withAuthenticatedUser((message) => void seen.push(message.user)));
    expect((await connectTo({ connect }, options)).refusal).toEqual({ status: 401 });
    const id = sessions.create('bob');
    expect((await connectTo({ connect }, { ...options, cookies: { sessionid: id } })).refusal).toBeUndefined();
    expect(seen).toEqual([bob]);
  });
});

describe('withUserFrom where a source cannot tell', () => {
  it('refuses a token client with 503 where only the HTTP session cannot be read that its handlers get', async () => {
    const { connect, seen, sessions, errors } = migration();
    vi.spyOn(sessions, 'read').mockRejectedValue(new Error('down'));
    expect((await connect({ key: aliceKey })).refusal).toEqual({ status: 503 });
    expect(codesOf(errors)).toEqual(['ERR_LOOKUP_FAILED']);
    expect(seen).toEqual([]);
  });

  it.each(['alone', 'among others'])('says which, %s', async (place) => {
    const { options, errors, tokens } = makeSite();
    const sso = defineSource('sso', () => Promise.reject(new Error('down')));
    const sources = place === 'alone' ? [sso] : [fromToken({ tokens }), sso];
    const client = await connectTo({ connect: withUserFrom(...(sources as [typeof sso]))(() => {}) }, options);
    expect(client.refusal).toEqual({ status: 503 });
    expect(errors).toMatchObject([{ code: 'ERR_LOOKUP_FAILED', message: expect.stringContaining('source sso') }]);
  });

  it('closes with 1013 on receive where the HTTP session cannot be read again', async () => {
    const { connect, seen, sessions, errors } = migration();
    const client = await connect({ sessionid: sessions.create('bob') });
    vi.spyOn(sessions, 'readById').mockRejectedValue(new Error('down'));
    await client.send('a');
    expect(client.closed?.code).toBe(1013);
    expect(seen).toEqual([
      ['bob', {}],
      ['bob', undefined],
    ]);
    expect(codesOf(errors)).toEqual(['ERR_LOOKUP_FAILED', 'ERR_LOOKUP_FAILED']);
  });
});

describe('withUserFrom and what it needs', () => {
  it('misses each dependency when the server is made', () => {
    const { tokens, sessions, users } = makeSite();
    for (const source of [fromToken(), fromHttpSession({ users }), fromHttpSession({ sessions })]) {
      const make = () => new ChannelServer({ receive: withUserFrom(fromToken({ tokens }), source)(() => {}) });
      expect(thrownBy(make).code).toBe('ERR_DEPENDENCY_MISSING');
    }
  });

  it('takes sources and nothing else', () => {
    for (const bad of [undefined, null, 'token', {}, [], () => {}, fromToken]) {
      expect(() => withUserFrom(bad as never)).toThrow(TypeError);
    }
    expect(() => (withUserFrom as () => unknown)()).toThrow(TypeError);
  });

  it('says on later messages that a wrapper was hidden from the server, where it was', async () => {
    const { tokens, sessions, users, options, errors } = makeSite();
    const hidden = [withUserFrom(fromToken({ tokens })), withHttpSession({ sessions }), withUserFrom(fromHttpSession({ sessions, users }))];
    for (const wrap of hidden) {
      const client = await connectTo({ receive: (message) => (wrap as typeof withHttpSession)(() => {})(message as never) }, options);
      await client.send('a');
      expect(client.closed?.code).toBe(1011);
    }
    expect(codesOf(errors)).toEqual(Array(3).fill('ERR_WRAPPER_MISSING'));
  });

  it('works hidden from the server at connect, where the handshake is still there', async () => {
    const { tokens, sessions, users, options } = makeSite();
    const seen: unknown[] = [];
    const wrap = withUserFrom(fromToken({ tokens }), fromHttpSession({ sessions, users }));
    const connect = (message: never): unknown =>
      wrap((given) => void seen.push(given.user, given.httpSession?.userId, given.channelSession.get('none')))(message);
    const client = await connectTo({ connect } as never, { ...options, cookies: { sessionid: sessions.create('bob') } });
    expect(seen).toEqual([bob, 'bob', undefined]);
    expect(client.user).toBe(bob);
  });
});
