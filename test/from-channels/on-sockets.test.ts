import { describe, expect, it, vi } from 'vitest';
import {
  ClientError,
  DenyConnection,
  dispatchOn,
  type HasBody,
  type HasChannelSession,
  type HasUser,
  type ReceiveMessage,
  tokenIdOf,
  withAllowedOrigins,
  withAuthenticatedUser,
  withChannelSession,
  withChannelUser,
  withClientErrors,
  withOrdering,
  withUserFromHttp,
  withUserFromToken,
} from '../../entries/index.js';
import { connectTo } from '../../entries/testing.js';
import { eventually } from '../support/eventually.js';
import { frame, RawClient } from '../support/raw-client.js';
import { modes, nextTurn, serve } from '../support/serving.js';
import { codesOf, aliceKey as key, makeSite } from '../support/site.js';
import { WsClient } from '../support/ws-client.js';

describe.each(modes)("the handshake of the post's Android client (%s)", (mode) => {
  it('is let in with its user: lower-case name, trailing semicolon, no Origin, permessage-deflate offered', async () => {
    const { tokens } = makeSite();
    const findById = vi.spyOn(tokens, 'findById');
    const { port, channels } = await serve(
      {
        connect: withUserFromToken({ tokens })((message) => message.channel.sendJson({ user: message.user.id })),
        receive: withChannelUser((message) => message.channel.sendJson({ again: message.user.id })),
      },
      { mode },
    );
    const headers = { cookie: `key=${key};`, 'Sec-WebSocket-Extensions': 'permessage-deflate' };
    const client = await RawClient.connect(port, { headers, head: frame('at once') });
    expect(String((await client.nextFrame()).payload)).toBe('{"user":"alice"}');
    expect(String((await client.nextFrame()).payload)).toBe('{"again":"alice"}');
    expect(findById.mock.calls).toEqual([[tokenIdOf(key)]]);
    client.reset();
    await eventually(() => expect(channels.channels.size).toBe(0));
  });
});

describe('@channel_session_user_from_http → @channel_session_user_from_token, nothing else changes', () => {
  it('gives the same handler the same user and the same session', async () => {
    const { tokens, sessions, users } = makeSite();
    const chat = (message: HasChannelSession & HasUser & { readonly channel: { sendJson(value: unknown): boolean } }): void => {
      message.channelSession.set('rooms', []);
      message.channel.sendJson([message.user, message.channelSession.get('rooms')]);
    };
    const before = await connectTo(
      { connect: withUserFromHttp({ sessions, users })(chat) },
      { cookies: { sessionid: sessions.create('alice') } },
    );
    const after = await connectTo({ connect: withUserFromToken({ tokens })(chat) }, { cookies: { key } });
    expect(after.sentJson).toEqual(before.sentJson);
    expect(after.sentJson).toEqual([[{ id: 'alice', isAuthenticated: true }, []]]);
  });
});

describe('channel_session on a method → withChannelSession on a method', () => {
  it('keeps `this`, and wraps a function and a method alike', async () => {
    class Chat {
      readonly greeting = 'hello';
      receive(message: ReceiveMessage & HasChannelSession): void {
        message.channelSession.set('greeting', `${this.greeting} ${message.text}`);
      }
    }
    // what a compiler makes of `@withChannelSession` above the method
    const context = { kind: 'method', name: 'receive' } as ClassMethodDecoratorContext<Chat, Chat['receive']>;
    Chat.prototype.receive = withChannelSession(Chat.prototype.receive, context) as unknown as Chat['receive'];
    const client = await connectTo(new Chat());
    await client.send('alice');
    expect(client.channelSession.get('greeting')).toBe('hello alice');
  });
});

describe('HttpClient and WSClient of channels.test → connectTo', () => {
  it('drives handlers without a network: cookies, a login by force, ordered delivery, a path and its query', async () => {
    const { sessions, users } = makeSite();
    const received: string[] = [];
    const client = await connectTo(
      {
        connect: withUserFromHttp({ sessions, users })(withAuthenticatedUser((message) => message.channel.send(message.request.url ?? ''))),
        receive: async ({ text }: ReceiveMessage) => {
          await nextTurn();
          received.push(text);
        },
        disconnect: ({ code, reason }) => void received.push(`${code} ${reason}`),
      },
      { url: '/chat?room=1', cookies: { other: 'x', sessionid: sessions.create('alice') } },
    );
    expect(client.refusal).toBeUndefined();
    expect(client.sent).toEqual(['/chat?room=1']);
    await Promise.all([client.send('a'), client.send('b'), client.sendJson({ c: 1 })]);
    await client.disconnect(1001, 'going');
    expect(received).toEqual(['a', 'b', '{"c":1}', '1001 going']);
  });

  it('knows that a consumer was refused, and sends nothing on', async () => {
    const { sessions, users } = makeSite();
    const client = await connectTo({ connect: withUserFromHttp({ sessions, users })(withAuthenticatedUser(() => {})) });
    expect(client.refusal).toEqual({ status: 401 });
    await expect(client.send('a')).rejects.toThrow(TypeError);
  });
});

describe('accept / deny on a real handshake', () => {
  it('deny is an HTTP status that the connect handler chooses, 403 if it names none; without deny it is accepted', async () => {
    const { port, channels, errors } = await serve({
      connect: ({ request }) => {
        if (request.url === '/deny') throw new DenyConnection();
        if (request.url === '/teapot') throw new DenyConnection({ status: 418, reason: 'not for the body' });
      },
    });
    expect((await WsClient.connect(port, { path: '/deny' })).refused?.status).toBe(403);
    const teapot = await WsClient.connect(port, { path: '/teapot' });
    expect(teapot.refused?.status).toBe(418);
    expect(teapot.refused?.body).not.toContain('not for the body');
    expect((await WsClient.connect(port)).refused).toBeUndefined();
    expect(channels.channels.size).toBe(1);
    expect(errors).toEqual([]);
  });

  it('is a close code where the application had accepted it before', async () => {
    const { port } = await serve({ connect: () => Promise.reject(new DenyConnection({ reason: 'members only' })) }, { mode: 'accept' });
    const client = await WsClient.connect(port);
    expect(await client.closed()).toEqual({ code: 3003, reason: 'members only' });
  });
});

describe.each([
  ['handleUpgrades', { status: 401, code: undefined }],
  ['accept', { status: undefined, code: 3000 }],
] as const)('trap: no decorator blocks an anonymous user (%s)', (mode, expected) => {
  it('withAuthenticatedUser does, and lets the known one in', async () => {
    const { tokens } = makeSite();
    const { port } = await serve({ connect: withUserFromToken({ tokens })(withAuthenticatedUser(() => {})) }, { mode });
    const nobody = await WsClient.connect(port);
    expect(nobody.refused?.status).toBe(expected.status);
    if (expected.code !== undefined) expect((await nobody.closed()).code).toBe(expected.code);
    const alice = await WsClient.connect(port, { cookie: `key=${key}` });
    expect(alice.refused).toBeUndefined();
  });
});

describe('trap: a missing Origin is refused', () => {
  it('native clients pass withAllowedOrigins; pages of other sites do not', async () => {
    const { port, warnings } = await serve(
      { connect: withAllowedOrigins(['https://app.example.com'])(() => {}) },
      { origins: ['https://app.example.com', 'https://partner.example.com'] },
    );
    expect((await WsClient.connect(port)).refused).toBeUndefined();
    expect((await WsClient.connect(port, { origin: 'https://app.example.com' })).refused).toBeUndefined();
    expect((await WsClient.connect(port, { origin: 'https://partner.example.com' })).refused?.status).toBe(403);
    expect(codesOf(warnings)).toEqual(['ERR_ORIGIN_REFUSED']);
  });
});

describe('trap: one throw stalls the socket for good', () => {
  const handlers = () => {
    const log: string[] = [];
    const receive = withClientErrors(
      dispatchOn('do', {
        say: withOrdering(async (message: ReceiveMessage & HasBody) => {
          await nextTurn();
          log.push((message.body as { text: string }).text);
          message.channel.send('said');
        }),
        complain: withOrdering(() => Promise.reject(new ClientError('no'))),
        fail: withOrdering(() => Promise.reject(new Error('a fault'))),
      }),
    );
    return { log, handlers: { receive, disconnect: ({ code }: { readonly code: number }) => void log.push(`left ${code}`) } };
  };

  it.each([1, 8])('a ClientError stalls nothing: what was sent behind it is handled (concurrency %i)', async (concurrency) => {
    const { log, handlers: given } = handlers();
    const { port } = await serve(given, { concurrency });
    const client = await WsClient.connect(port);
    for (const command of ['complain', 'complain']) client.sendJson({ do: command });
    client.sendJson({ do: 'say', text: 'after' });
    expect(await client.take(3)).toEqual(['{"error":"no"}', '{"error":"no"}', 'said']);
    expect(log).toEqual(['after']);
  });

  it.each([1, 8])('any other throw ends that channel once, and no other (concurrency %i)', async (concurrency) => {
    const { log, handlers: given } = handlers();
    const { port, channels, errors } = await serve(given, { concurrency });
    const [failing, other] = [await WsClient.connect(port), await WsClient.connect(port)];
    failing.sendJson({ do: 'fail' });
    failing.sendJson({ do: 'say', text: 'never' });
    expect((await failing.closed()).code).toBe(1011);
    other.sendJson({ do: 'say', text: 'still here' });
    expect(await other.next()).toBe('said');
    await eventually(() => expect(log.toSorted()).toEqual(['left 1011', 'still here']));
    expect(errors).toMatchObject([{ message: 'a fault' }]);
    expect(channels.channels.size).toBe(1);
  });
});
