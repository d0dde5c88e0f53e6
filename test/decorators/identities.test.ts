import { describe, expect, it } from 'vitest';
import {
  anonymousUser,
  authorization,
  ChannelServer,
  type ChannelServerOptions,
  type ChannelSessionOptions,
  compose,
  container,
  cookie,
  defineWrapper,
  dispatchOn,
  fromHttpSession,
  fromToken,
  type HasChannelSession,
  HTTP_SESSION_READER,
  TOKEN_REPOSITORY,
  USER_REPOSITORY,
  withChannelAndHttpSession,
  withChannelSession,
  withChannelUser,
  withHttpSession,
  withHttpUser,
  withOrdering,
  withUserFrom,
  withUserFromHttp,
  withUserFromToken,
} from '../../entries/index.js';
import { MemorySessionStore, MemoryUserRepository } from '../../entries/memory.js';
import { connectTo } from '../../entries/testing.js';
import { alice, aliceKey, bob, makeSite, thrownBy } from '../support/site.js';

type Wrap = (handler: unknown) => unknown;

const { tokens, sessions, users } = makeSite();
const others = makeSite();
const handler = (): void => {};
const withTag = defineWrapper('withTag', (_message, next) => next({ tag: 1 }));

/** Ways to identify, of which no two are the same. */
const ways: Readonly<Record<string, unknown>> = {
  'a token': withUserFromToken({ tokens }),
  'a token of another repository': withUserFromToken({ tokens: others.tokens }),
  'a token in another cookie': withUserFromToken({ tokens, from: cookie('auth') }),
  'a token in several places': withUserFromToken({ tokens, from: [cookie(), authorization()] }),
  'the HTTP session': withUserFromHttp({ sessions, users }),
  'the HTTP session with other users': withUserFromHttp({ sessions, users: others.users }),
  'both, the token first': withUserFrom(fromToken({ tokens }), fromHttpSession({ sessions, users })),
  'both, the HTTP session first': withUserFrom(fromHttpSession({ sessions, users }), fromToken({ tokens })),
};

const pairs = Object.entries(ways).flatMap(([name, one]) =>
  Object.entries(ways).flatMap(([other, two]) => (name === other ? [] : [[name, other, one as Wrap, two as Wrap] as const])),
);

/** How two wrappers come into one slot; what it returns is the server's handlers. */
const arrangements: Readonly<Record<string, (one: Wrap, two: Wrap) => unknown>> = {
  nested: (one, two) => ({ connect: one(two(handler)) }),
  'nested on later messages': (one, two) => ({ receive: one(withOrdering(two(handler) as never)) }),
  composed: (one, two) => ({ disconnect: (compose as (...all: unknown[]) => Wrap)(withOrdering, one, two)(handler) }),
  'under a wrapper of one’s own': (one, two) => ({ connect: withTag(one(withTag(two(handler) as never)) as never) }),
  'two parts of dispatchOn': (one, two) => ({ receive: dispatchOn('do', { a: one(handler), b: two(handler) } as never) }),
  'a part of dispatchOn and around it': (one, two) => ({ receive: one(dispatchOn('do', { a: handler, b: two(handler) } as never)) }),
};

const serve = (handlers: unknown, options?: ChannelServerOptions) => new ChannelServer(handlers as never, options);

describe.each(Object.entries(arrangements))('two wrappers that identify differently, %s', (_name, arrange) => {
  it.each(pairs)('are refused when the server is built: %s and %s', (_one, _other, one, two) => {
    const error = thrownBy(() => serve(arrange(one, two)));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/^ChannelServer: .* identify differently.*withUserFrom\(from/);
  });

  it('serve where they are the same', () => {
    for (const [one, two] of [
      [withUserFromToken({ tokens }), withUserFromToken({ tokens, from: cookie('key') })],
      [withUserFromToken({ tokens }), withUserFrom(fromToken({ tokens }))],
      [withUserFromHttp({ sessions, users }), withUserFrom(fromHttpSession({ sessions, users }))],
      [withUserFromToken({ tokens }), withChannelUser],
      [withUserFromToken({ tokens }), withHttpSession({ sessions })],
      [withUserFromToken({ tokens }), withChannelAndHttpSession({ sessions })],
      [withHttpUser({ sessions, users }), withUserFromHttp({ sessions, users })],
      [withHttpUser({ sessions, users }), withChannelSession],
    ]) {
      expect(serve(arrange(one as unknown as Wrap, two as unknown as Wrap))).toBeInstanceOf(ChannelServer);
      expect(serve(arrange(two as unknown as Wrap, one as unknown as Wrap))).toBeInstanceOf(ChannelServer);
    }
  });
});

describe('withHttpUser', () => {
  const httpUser = withHttpUser({ sessions, users }) as unknown as Wrap;

  it.each(Object.entries(arrangements))('is refused beside what identifies the channel otherwise: %s', (_name, arrange) => {
    for (const other of [withUserFromToken({ tokens }), withUserFrom(fromToken({ tokens }), fromHttpSession({ sessions, users }))]) {
      for (const pair of [[httpUser, other] as const, [other, httpUser] as const]) {
        expect(thrownBy(() => serve(arrange(pair[0] as Wrap, pair[1] as unknown as Wrap)))).toBeInstanceOf(TypeError);
      }
    }
  });

  it('is refused beside withChannelUser where another slot identifies the channel otherwise, or none does', () => {
    const receive = httpUser(withChannelUser(handler));
    expect(thrownBy(() => serve({ connect: withUserFromToken({ tokens })(handler), receive }))).toBeInstanceOf(TypeError);
    expect(thrownBy(() => serve({ receive }))).toBeInstanceOf(TypeError);
    expect(serve({ connect: withUserFromHttp({ sessions, users })(handler), receive })).toBeInstanceOf(ChannelServer);
  });

  it('is refused beside the session of a channel that something else identifies', () => {
    const connect = withUserFromToken({ tokens })(handler);
    const both: readonly unknown[] = [
      httpUser(withChannelSession(handler)),
      (withChannelSession as unknown as Wrap)(httpUser(handler)),
      withChannelSession(dispatchOn('do', { a: httpUser(handler), b: handler } as never)),
    ];
    for (const receive of both) expect(thrownBy(() => serve({ connect, receive }))).toBeInstanceOf(TypeError);
    expect(serve({ connect, receive: dispatchOn('do', { a: httpUser(handler), b: withChannelSession(handler) } as never) })).toBeInstanceOf(
      ChannelServer,
    );
  });

  it('serves in a slot of its own', () => {
    expect(serve({ connect: withUserFromToken({ tokens })(handler), receive: httpUser(handler) })).toBeInstanceOf(ChannelServer);
  });
});

describe('what is the same', () => {
  it('is a repository, given or registered', () => {
    const own = container.createChildContainer();
    own.register(TOKEN_REPOSITORY, { useValue: tokens });
    const connect = withUserFromToken(withUserFromToken({ tokens })(handler));
    expect(new ChannelServer({ connect }, { container: own })).toBeInstanceOf(ChannelServer);
    own.register(TOKEN_REPOSITORY, { useValue: others.tokens });
    expect(thrownBy(() => new ChannelServer({ connect }, { container: own }))).toBeInstanceOf(TypeError);
  });
});

describe('wrappers of different slots', () => {
  it('may name different sources: later ones give what connect found', async () => {
    const site = makeSite();
    const seen: unknown[] = [];
    const connect = withUserFromToken({ tokens: site.tokens })(handler);
    const receive = withUserFromToken({ tokens: site.tokens, from: cookie('auth') })((message) => void seen.push(message.user));
    const client = await connectTo({ connect, receive }, { ...site.options, cookies: { key: aliceKey } });
    await client.send('x');
    expect(seen).toEqual([alice]);
  });
});

describe('two readers of HTTP sessions in one server', () => {
  const other = others.sessions;
  it.each<[string, unknown]>([
    ['in one slot', { receive: withHttpSession({ sessions })(withChannelAndHttpSession({ sessions: other })(handler)) }],
    ['in two slots', { connect: withHttpSession({ sessions })(handler), receive: withHttpSession({ sessions: other })(handler) }],
    [
      'of different wrappers',
      { connect: withUserFromHttp({ sessions, users })(handler), disconnect: withHttpUser({ sessions: other, users })(handler) },
    ],
    [
      'as two sources',
      { connect: withUserFrom(fromHttpSession({ sessions, users }), fromHttpSession({ sessions: other, users }))(handler) },
    ],
    [
      'in parts of dispatchOn',
      { receive: dispatchOn('do', { a: withHttpSession({ sessions })(handler), b: withHttpSession({ sessions: other })(handler) }) },
    ],
  ])('are refused when it is built: %s', (_where, handlers) => {
    const error = thrownBy(() => serve(handlers));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/one reader/);
  });
});

describe('another reader in a wrapper that the server cannot see', () => {
  const other = others.sessions;
  const hidden = (wrapped: unknown) => (message: unknown) => (wrapped as (message: unknown) => unknown)(message);
  const cookies = { sessionid: sessions.create('alice') };
  const seen = withHttpSession({ sessions })(handler);
  const second = withHttpSession({ sessions: other })(handler);

  it.each<[string, unknown]>([
    ['beside one that it sees', { connect: hidden(second), disconnect: seen }],
    ['as a source beside one that it sees', { connect: hidden(withUserFromHttp({ sessions: other, users })(handler)), receive: seen }],
    ['of withHttpUser', { connect: hidden(withHttpUser({ sessions: other, users })(handler)), receive: seen }],
    ['beside another that it cannot see', { connect: hidden(withHttpSession({ sessions })(second as never)) }],
  ])('is refused at connect: %s', async (_where, handlers) => {
    const errors: unknown[] = [];
    const client = await connectTo(serve(handlers, { onError: (error) => void errors.push(error) }), { cookies });
    expect(client.refusal).toEqual({ status: 500 });
    expect(errors).toEqual([expect.any(TypeError)]);
    expect(String(errors[0])).toMatch(/one reader/);
  });

  it.each<[string, unknown]>([
    ['beside one that it sees', { connect: seen, receive: hidden(second) }],
    ['beside another that it cannot see', { connect: hidden(seen), receive: hidden(second) }],
  ])('ends the channel at a later message: %s', async (_where, handlers) => {
    const errors: unknown[] = [];
    const client = await connectTo(serve(handlers, { onError: (error) => void errors.push(error) }), { cookies });
    await client.send('x');
    expect(client.closed?.code).toBe(1011);
    expect(errors).toEqual([expect.any(TypeError)]);
  });

  it('is of one server only: another server may have it', async () => {
    for (const wrapped of [seen, second])
      expect((await connectTo(serve({ connect: hidden(wrapped) }), { cookies })).refusal).toBeUndefined();
  });
});

describe('a channel session in a wrapper that the server cannot see', () => {
  const hidden = (wrapped: unknown) => (message: unknown) => (wrapped as (message: unknown) => unknown)(message);
  const store = new MemorySessionStore();
  const remember = (message: HasChannelSession) => message.channelSession.set('a', 1);

  it.each<[string, ChannelSessionOptions, ChannelServerOptions]>([
    ['its store', { store }, {}],
    ['its store, where the server has another', { store }, { session: { store: new MemorySessionStore() } }],
    ['its scope', { scope: 'user' }, {}],
    ['its time to live', { ttlMs: 5_000 }, { session: { ttlMs: 6_000 } }],
  ])('is refused where the server does not know %s', async (_what, options, serverOptions) => {
    const errors: unknown[] = [];
    const onError = (error: unknown): void => void errors.push(error);
    const receive = hidden(withChannelSession(options)(remember));
    const client = await connectTo(serve({ receive }, { ...serverOptions, onError }));
    await client.send('x');
    expect(client.closed?.code).toBe(1011);
    expect(errors).toEqual([expect.any(TypeError)]);
    expect(String(errors[0])).toMatch(/session: \{ store, ttlMs, scope \}/);
  });

  it('serves where the server knows all that it says, or it says nothing', async () => {
    for (const options of [{}, { store }, { store, scope: 'channel', ttlMs: 5_000 }] as const) {
      const receive = hidden(withChannelSession(options)(remember));
      const client = await connectTo(serve({ receive }, { session: { store, ttlMs: 5_000 } }));
      await client.send('x');
      expect(client.closed).toBeUndefined();
      expect(store.size).toBe(1);
      await client.disconnect();
    }
  });
});

describe('two wrappers that identify differently, of which the server does not see both', () => {
  const hidden = (wrapped: unknown) => (message: unknown) => (wrapped as (message: unknown) => unknown)(message);
  const byToken = withUserFromToken({ tokens }) as unknown as Wrap;
  const byHttp = withUserFromHttp({ sessions, users }) as unknown as Wrap;
  const httpUser = withHttpUser({ sessions, users }) as unknown as Wrap;
  const channelUser = withChannelUser as unknown as Wrap;
  const channelSession = withChannelSession as unknown as Wrap;
  const seen = byToken(handler);
  const cookies = { key: aliceKey, sessionid: sessions.create('bob') };

  const alike = [
    hidden(byToken(channelUser(handler))),
    hidden((withUserFrom(fromToken({ tokens })) as unknown as Wrap)(byToken(channelSession(handler)))),
    byToken(hidden(byToken(handler))),
    hidden(httpUser(handler)),
  ];
  const mixed: Readonly<Record<string, unknown>> = {
    'one within the other': hidden(byToken(byHttp(handler))),
    'one within the other, the other way round': hidden(byHttp(byToken(handler))),
    'one after the other': async (message: unknown) => {
      await hidden(byToken(handler))(message);
      await hidden(byHttp(handler))(message);
    },
    'within one that it sees': byToken(hidden(byHttp(handler))),
    'around one that it sees': byHttp(hidden(byToken(handler))),
    'of withHttpUser': hidden(byToken(httpUser(handler))),
    'of withHttpUser, the other way round': hidden(httpUser(byToken(handler))),
    'of withHttpUser within one that it sees': byToken(hidden(httpUser(handler))),
  };

  it.each(Object.entries(mixed))('are refused at connect: %s', async (_where, connect) => {
    const errors: unknown[] = [];
    const client = await connectTo(serve({ connect }, { onError: (error) => void errors.push(error) }), { cookies });
    expect(client.refusal).toEqual({ status: 500 });
    expect(errors).toEqual([expect.any(TypeError)]);
    expect(String(errors[0])).toMatch(/identify differently/);
  });

  it.each<[string, unknown]>([
    ['withHttpUser around the channel’s user', hidden(httpUser(channelUser(handler)))],
    ['withHttpUser within the channel’s user', hidden(channelUser(httpUser(handler)))],
    ['withHttpUser around the channel’s session', hidden(httpUser(channelSession(handler)))],
    ['withHttpUser within the channel’s session', hidden(channelSession(httpUser(handler)))],
    ['withHttpUser within the channel’s session that it sees', channelSession(hidden(httpUser(handler)))],
  ])('end the channel at a later message: %s', async (_where, receive) => {
    const errors: unknown[] = [];
    const connect = byToken(hidden((withHttpSession({ sessions }) as unknown as Wrap)(handler)));
    const client = await connectTo(serve({ connect, receive }, { onError: (error) => void errors.push(error) }), { cookies });
    expect(client.refusal).toBeUndefined();
    await client.send('x');
    expect(client.closed?.code).toBe(1011);
    expect(errors).toEqual([expect.any(TypeError)]);
  });

  it('is refused at connect where another slot identifies otherwise', async () => {
    const errors: unknown[] = [];
    const server = serve({ connect: hidden(byHttp(handler)), receive: seen }, { onError: (error) => void errors.push(error) });
    expect((await connectTo(server, { cookies })).refusal).toEqual({ status: 500 });
    expect(errors).toEqual([expect.any(TypeError)]);
  });

  it('serve where they are alike', async () => {
    for (const connect of alike) expect((await connectTo(serve({ connect }), { cookies })).refusal).toBeUndefined();
  });

  it('leave the user whom a wrapper of one’s own has put around them, at connect as later', async () => {
    for (const user of [bob, anonymousUser]) {
      const seenIds: unknown[] = [];
      const see = (message: { user: { id: unknown } }) => void seenIds.push(message.user.id);
      const withOther = defineWrapper('withOther', (_message, next) => next({ user })) as unknown as Wrap;
      for (const inner of [channelUser, byToken]) {
        for (const wrapped of [byToken(withOther(inner(see))), byToken(withOther(hidden(inner(see))))]) {
          const client = await connectTo(serve({ connect: wrapped, receive: wrapped }), { cookies });
          await client.send('x');
        }
      }
      expect(seenIds).toEqual(new Array(8).fill(user.id));
    }
  });

  it('give one user where withChannelUser comes before what identifies', async () => {
    const seenUsers: unknown[] = [];
    const see = (message: { user: { id: unknown }; channel: { user: { id: unknown } } }) => {
      seenUsers.push(message.user.id, message.channel.user.id);
    };
    for (const connect of [hidden(channelUser(byToken(see))), channelUser(hidden(byToken(see)))]) {
      expect((await connectTo(serve({ connect }), { cookies })).refusal).toBeUndefined();
    }
    expect(seenUsers).toEqual(['alice', 'alice', 'alice', 'alice']);
  });

  it('serve where withHttpUser finds the person whom the channel knows', async () => {
    const own = { key: aliceKey, sessionid: sessions.create('alice') };
    for (const connect of [hidden(byToken(httpUser(handler))), hidden(httpUser(byToken(handler)))]) {
      expect((await connectTo(serve({ connect }), { cookies: own })).refusal).toBeUndefined();
    }
  });
});

describe('a message of a channel whose HTTP session is somebody else’s now', () => {
  it.each<[string, Wrap]>([
    ['withHttpUser around withChannelSession', (last) => (withHttpUser as unknown as Wrap)((withChannelSession as unknown as Wrap)(last))],
    ['withHttpUser within withChannelSession', (last) => (withChannelSession as unknown as Wrap)((withHttpUser as unknown as Wrap)(last))],
    ['withHttpUser around withChannelUser', (last) => (withHttpUser as unknown as Wrap)((withChannelUser as unknown as Wrap)(last))],
    ['withHttpUser within withUserFromHttp', (last) => (withUserFromHttp as unknown as Wrap)((withHttpUser as unknown as Wrap)(last))],
  ])('has nobody for its user beside the session of the former: %s', async (_what, wrap) => {
    const seen: unknown[] = [];
    const users = new MemoryUserRepository([alice, bob]);
    let owner = 'alice';
    const session = () => ({ id: 'one', userId: owner, data: {}, save: async () => undefined });
    const reader = { read: async () => session(), readById: async () => session() };
    const own = container.createChildContainer();
    own.register(HTTP_SESSION_READER, { useValue: reader });
    own.register(USER_REPOSITORY, { useValue: users });
    const receive = wrap(({ user, channelSession }: { user: { id: unknown }; channelSession: object }) =>
      seen.push([user.id, JSON.stringify(channelSession)]),
    );
    const connect = withUserFromHttp((message) => message.channelSession.set('of', 'alice'));
    const client = await connectTo(serve({ connect, receive }, { container: own }));
    await client.send('x');
    owner = 'bob';
    await client.send('x');
    expect(seen).toEqual([
      ['alice', '{"of":"alice"}'],
      [null, '{"of":"alice"}'],
    ]);
    expect(client.closed?.code).toBe(3000);
  });
});
