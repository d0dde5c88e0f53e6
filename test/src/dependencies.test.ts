import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  anonymousUser,
  type BaseMessage,
  ChannelServer,
  container,
  dispatchOn,
  fromToken,
  type Handler,
  type HasHttpSession,
  type HasUser,
  HTTP_SESSION_READER,
  identifyKey,
  identifyUser,
  SESSION_STORE,
  TOKEN_REPOSITORY,
  USER_REPOSITORY,
  withChannelAndHttpSession,
  withChannelSession,
  withHttpSession,
  withHttpUser,
  withUserFromHttp,
  withUserFromToken,
} from '../../entries/index.js';
import { connectTo } from '../../entries/testing.js';
import { alice, aliceKey, bob, codesOf, expectProcessToLive, makeSite, thrownBy } from '../support/site.js';

expectProcessToLive();

const cookies = { key: aliceKey };
const nothing = (): void => {};

describe('a dependency', () => {
  it('is found in the wrapper’s own option first, then in the server’s container, then in the global one', async () => {
    const global = makeSite();
    const local = makeSite();
    const own = makeSite();
    const child = container.createChildContainer();
    const server = (connect: Handler) => connectTo({ connect }, { ...global.options, container: child, cookies });
    container.register(TOKEN_REPOSITORY, { useValue: global.tokens });
    try {
      await server(withUserFromToken(nothing));
      expect([global.lookUps.length, local.lookUps.length, own.lookUps.length]).toEqual([1, 0, 0]);
      child.register(TOKEN_REPOSITORY, { useValue: local.tokens });
      await server(withUserFromToken(nothing));
      expect([global.lookUps.length, local.lookUps.length, own.lookUps.length]).toEqual([1, 1, 0]);
      await server(withUserFromToken({ tokens: own.tokens })(nothing));
      expect([global.lookUps.length, local.lookUps.length, own.lookUps.length]).toEqual([1, 1, 1]);
    } finally {
      container.reset();
    }
  });

  it('is found in a container of another kind that says what it has and gives it, and so is a class of handlers', async () => {
    const site = makeSite();
    class Greeter {
      readonly connect = withUserFromToken((message) => message.channel.sendJson(message.user.id));
    }
    const providers = new Map<unknown, unknown>([
      [TOKEN_REPOSITORY, site.tokens],
      [Greeter, new Greeter()],
    ]);
    const other = { isRegistered: (token: unknown) => providers.has(token), resolve: (token: unknown) => providers.get(token) as never };
    const client = await connectTo(new ChannelServer(Greeter, { ...site.options, container: other }), { cookies });
    expect(client.sentJson).toEqual([alice.id]);
    expect((await identifyKey(aliceKey, { container: other })).user.id).toBe(alice.id);
    const request = Object.assign(new IncomingMessage(new Socket()), { headers: { cookie: `key=${aliceKey}` } });
    expect((await identifyUser(request, { sources: [fromToken()], container: other })).user.id).toBe(alice.id);
  });

  it('is resolved once per server, never per message', async () => {
    const site = makeSite();
    let made = 0;
    const child = container.createChildContainer();
    child.register(TOKEN_REPOSITORY, {
      useFactory: () => {
        made += 1;
        return site.tokens;
      },
    });
    const handlers = { connect: withUserFromToken(nothing), receive: withUserFromToken(nothing) };
    const server = new ChannelServer(handlers, { ...site.options, container: child });
    expect(made).toBe(1);
    for (let round = 0; round < 3; round += 1) {
      const client = await connectTo(server, { cookies });
      await client.send('x');
      expect(client.user).toBe(alice);
    }
    expect(made).toBe(1);
  });

  it.each<[string, string, () => unknown]>([
    ['TOKEN_REPOSITORY', 'withUserFromToken', () => ({ connect: withUserFromToken(nothing) })],
    ['HTTP_SESSION_READER', 'withUserFromHttp', () => ({ connect: withUserFromHttp({ users: makeSite().users })(nothing) })],
    ['USER_REPOSITORY', 'withUserFromHttp', () => ({ connect: withUserFromHttp({ sessions: makeSite().sessions })(nothing) })],
    ['HTTP_SESSION_READER', 'withHttpSession', () => ({ receive: withHttpSession(nothing) })],
    ['HTTP_SESSION_READER', 'withChannelAndHttpSession', () => ({ receive: withChannelAndHttpSession(nothing) })],
    ['USER_REPOSITORY', 'withHttpUser', () => ({ disconnect: withHttpUser({ sessions: makeSite().sessions })(nothing) })],
    ['TOKEN_REPOSITORY', 'withUserFromToken', () => ({ receive: dispatchOn('command', { join: withUserFromToken(nothing) }) })],
  ])('that is missing (%s of %s) is an error when the server is built, which says what to register and how', (token, wrapper, handlers) => {
    const error = thrownBy(() => new ChannelServer(handlers() as never));
    expect(error.code).toBe('ERR_DEPENDENCY_MISSING');
    expect(error.message).toContain(wrapper);
    expect(error.message).toContain(`container.registerInstance(${token}, `);
  });

  it('that is no repository is a TypeError when the server is built', () => {
    const child = container.createChildContainer();
    child.register(TOKEN_REPOSITORY, { useValue: { find: nothing } as never });
    child.register(SESSION_STORE, { useValue: { find: nothing } as never });
    expect(thrownBy(() => new ChannelServer({ connect: withUserFromToken(nothing) }, { container: child })).message).toMatch(
      /tokens.*findById/,
    );
    expect(thrownBy(() => new ChannelServer({ connect: withChannelSession(nothing) }, { container: child })).message).toMatch(
      /store.*load/,
    );
  });

  it('of every kind is found under its injection token', async () => {
    const site = makeSite();
    const child = container.createChildContainer();
    child.register(HTTP_SESSION_READER, { useValue: site.sessions });
    child.register(USER_REPOSITORY, { useValue: site.users });
    child.register(SESSION_STORE, { useValue: site.store });
    const connect = withUserFromHttp((message) => message.channelSession.set('seen', true));
    const client = await connectTo({ connect }, { ...site.options, container: child, cookies: { sessionid: site.sessions.create('bob') } });
    expect(client.user).toBe(bob);
    expect(site.store.size).toBe(1);
  });

  it('that gives up too late is a TypeError when the server is built, whichever kind it is', () => {
    const { sessions, users, store } = makeSite();
    const late = <Dependency extends object>(dependency: Dependency) =>
      Object.assign(Object.create(dependency) as Dependency, { timeoutMs: 9_000 });
    for (const build of [
      () => new ChannelServer({ connect: withHttpSession({ sessions: late(sessions) })(nothing) }),
      () => new ChannelServer({ connect: withUserFromHttp({ sessions, users: late(users) })(nothing) }),
      () => new ChannelServer({ connect: withChannelSession({ store: late(store) })(nothing) }),
      () => new ChannelServer({ connect: nothing }, { session: { store: late(store) } }),
    ]) {
      const error = thrownBy(build);
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(/timeoutMs.*9000.*connectTimeoutMs/);
    }
  });
});

describe('a wrapper that is hidden in a function of the application', () => {
  it('identifies at connect all the same', async () => {
    const { tokens, options } = makeSite();
    const seen: unknown[] = [];
    const hidden = withUserFromToken({ tokens })((message: BaseMessage & HasUser) => void seen.push(message.user));
    const client = await connectTo(
      { connect: (message) => hidden(message), receive: withUserFromToken({ tokens })(nothing) },
      { ...options, cookies },
    );
    expect(seen).toEqual([alice]);
    expect(client.user).toBe(alice);
  });

  it('identifies at connect where no other wrapper does', async () => {
    const { tokens, options } = makeSite();
    const hidden = withUserFromToken({ tokens })((message: BaseMessage & HasUser) => message.channel.sendJson(message.user.id));
    const client = await connectTo({ connect: (message) => hidden(message) }, { ...options, cookies });
    expect(client.sentJson).toEqual(['alice']);
  });

  it('tells what is missing at the first message, and refuses with 500', async () => {
    const { options, errors } = makeSite();
    const hidden = withUserFromToken(nothing);
    const client = await connectTo({ connect: (message) => hidden(message) }, { ...options, cookies });
    expect(client.refusal).toEqual({ status: 500 });
    expect(codesOf(errors)).toEqual(['ERR_DEPENDENCY_MISSING']);
    expect((errors[0] as Error).message).toContain('TOKEN_REPOSITORY');
  });

  it('after connect is an error, since the credentials are gone', async () => {
    const { tokens, options, errors } = makeSite();
    const hidden = withUserFromToken({ tokens })(nothing);
    const client = await connectTo({ receive: (message) => hidden(message) }, { ...options, cookies });
    await client.send('x');
    expect(client.closed?.code).toBe(1011);
    expect(codesOf(errors)).toEqual(['ERR_WRAPPER_MISSING']);
    expect((errors[0] as Error).message).toContain('withUserFromToken');
  });

  it('reads the HTTP session at connect', async () => {
    const { sessions, options } = makeSite();
    const hidden = withHttpSession({ sessions })((message: BaseMessage & HasHttpSession) =>
      message.channel.sendJson(message.httpSession?.data),
    );
    const sessionid = sessions.create('bob', { theme: 'dark' });
    const client = await connectTo({ connect: (message) => hidden(message) }, { ...options, cookies: { sessionid } });
    expect(client.sentJson).toEqual([{ theme: 'dark' }]);
  });

  it('that reads an HTTP session after connect is an error, and not “no session”', async () => {
    const { sessions, options, errors } = makeSite();
    const seen: unknown[] = [];
    const hidden = withHttpSession({ sessions })((message: BaseMessage & HasHttpSession) => void seen.push(message.httpSession));
    const sessionid = sessions.create('bob');
    const client = await connectTo({ receive: (message) => hidden(message) }, { ...options, cookies: { sessionid } });
    await client.send('x');
    expect(seen).toEqual([]);
    expect(client.closed?.code).toBe(1011);
    expect(codesOf(errors)).toEqual(['ERR_WRAPPER_MISSING']);
  });

  it('gives the channel session, also after connect', async () => {
    const { options } = makeSite();
    const hidden = withChannelSession((message) => {
      message.channelSession.update('count', (count) => Number(count ?? 0) + 1);
      message.channel.sendJson(message.channelSession.get('count'));
    });
    const client = await connectTo({ receive: (message) => hidden(message) }, options);
    await client.send('x');
    await client.send('x');
    expect(client.sentJson).toEqual([1, 2]);
    expect(client.user).toBe(anonymousUser);
  });
});

describe('a member that no wrapper gave', () => {
  it.each(['user', 'channelSession', 'httpSession', 'body'])('message.%s throws and names the wrapper that gives it', async (member) => {
    const { options, errors } = makeSite();
    const receive = (message: object): unknown => (message as Record<string, unknown>)[member];
    const client = await connectTo({ receive }, options);
    await client.send('{}');
    expect(client.closed?.code).toBe(1011);
    expect(errors[0]).toBeInstanceOf(TypeError);
    expect((errors[0] as Error).message).toMatch(new RegExp(`message\\.${member}.*with[A-Z]`));
  });
});
