import { describe, expect, it } from 'vitest';
import {
  authorization,
  ChannelServer,
  type ChannelServerOptions,
  compose,
  container,
  cookie,
  defineWrapper,
  dispatchOn,
  fromHttpSession,
  fromToken,
  TOKEN_REPOSITORY,
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
import { connectTo } from '../../entries/testing.js';
import { alice, aliceKey, makeSite, thrownBy } from '../support/site.js';

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
