import { describe, expect, it } from 'vitest';
import {
  DenyConnection,
  type ReceiveMessage,
  withAllowedOrigins,
  withChannelAndHttpSession,
  withChannelSession,
  withChannelUser,
  withHttpSession,
  withHttpUser,
  withOrdering,
  withUserFromHttp,
} from '../../entries/index.js';
import { connectTo } from '../../entries/testing.js';
import { MemorySessionStore } from '../../src/session/memory-session-store.js';
import { makeSite } from '../support/site.js';

describe('channel_session → withChannelSession', () => {
  it('is loaded before and saved after, where it was changed', async () => {
    const store = new MemorySessionStore();
    const receive = withChannelSession((message) => {
      message.channelSession.update('count', (count) => Number(count ?? 0) + 1);
      message.channel.sendJson(message.channelSession.get('count'));
    });
    const client = await connectTo({ receive }, { session: { store } });
    expect(store.size).toBe(0);
    await client.send('a');
    await client.send('b');
    expect(client.sentJson).toEqual([1, 2]);
    expect(store.size).toBe(1);
  });

  it('wrapping twice gives the same session', async () => {
    const receive = withChannelSession((outer) => {
      const before = outer.channelSession;
      return withChannelSession((inner) => inner.channel.sendJson(inner.channelSession === before))(outer);
    });
    const client = await connectTo({ receive });
    await client.send('a');
    expect(client.sentJson).toEqual([true]);
  });

  it('fails without a message of a channel, and says what to do', () => {
    const wrapped = withChannelSession(() => {});
    expect(() => wrapped({} as never)).toThrow(TypeError);
  });
});

describe('http_session → withHttpSession', () => {
  it("is the web site's session, found by its cookie, and none is ever created", async () => {
    const { sessions } = makeSite();
    const connect = withHttpSession({ sessions })((message) => message.channel.sendJson(message.httpSession?.data ?? null));
    const id = sessions.create('alice', { theme: 'dark' });
    expect((await connectTo({ connect }, { cookies: { sessionid: id } })).sentJson).toEqual([{ theme: 'dark' }]);
    expect((await connectTo({ connect })).sentJson).toEqual([null]);
  });

  it('is saved where it was changed, and not after an error', async () => {
    const { sessions } = makeSite();
    const id = sessions.create('alice', { visits: 0 });
    const receive = withHttpSession({ sessions })<ReceiveMessage>((message) => {
      if (message.httpSession !== undefined) message.httpSession.data.visits = message.text;
      if (message.text === 'bad') throw new Error('after the change');
    });
    const client = await connectTo({ receive }, { cookies: { sessionid: id }, onError: () => {} });
    await client.send('good');
    expect((await sessions.readById(id))?.data).toEqual({ visits: 'good' });
    await client.send('bad');
    expect(client.closed?.code).toBe(1011);
    expect((await sessions.readById(id))?.data).toEqual({ visits: 'good' });
  });
});

describe('channel_and_http_session → withChannelAndHttpSession', () => {
  it('gives both, and later messages find the HTTP session again', async () => {
    const { sessions } = makeSite();
    const id = sessions.create('alice', { theme: 'dark' });
    const client = await connectTo(
      {
        connect: withChannelAndHttpSession({ sessions })((message) => message.channelSession.set('room', 'lobby')),
        receive: withChannelAndHttpSession({ sessions })((message) =>
          message.channel.sendJson([message.channelSession.get('room'), message.httpSession?.data]),
        ),
      },
      { cookies: { sessionid: id } },
    );
    await client.send('a');
    expect(client.sentJson).toEqual([['lobby', { theme: 'dark' }]]);
  });
});

describe('channel_session_user → withChannelUser', () => {
  it('gives whom connect found, and the anonymous user where nobody was identified', async () => {
    const { sessions, users } = makeSite();
    const receive = withChannelUser((message) => message.channel.sendJson(message.user.id));
    const id = sessions.create('alice');
    const known = await connectTo({ connect: withUserFromHttp({ sessions, users })(() => {}), receive }, { cookies: { sessionid: id } });
    await known.send('a');
    expect(known.sentJson).toEqual(['alice']);
    const nobody = await connectTo({ receive });
    await nobody.send('a');
    expect(nobody.sentJson).toEqual([null]);
    expect(nobody.authentication).toBeUndefined();
  });
});

describe('http_session_user → withHttpUser', () => {
  it('gives the HTTP session and its user anew for each message, else the anonymous one; the channel itself stays anonymous', async () => {
    const { sessions, users } = makeSite();
    const receive = withHttpUser({ sessions, users })((message) => message.channel.sendJson(message.user.id));
    const id = sessions.create('alice');
    const client = await connectTo({ receive }, { cookies: { sessionid: id } });
    await client.send('a');
    users.delete('alice');
    await client.send('b');
    sessions.destroy(id);
    await client.send('c');
    expect(client.sentJson).toEqual(['alice', null, null]);
    expect(client.user.isAuthenticated).toBe(false);
    expect(client.closed).toBeUndefined();
  });
});

describe('channel_session_user_from_http and channel_and_http_session_user_from_http → withUserFromHttp', () => {
  it('finds the user at connect and carries it over to withChannelUser, with both sessions', async () => {
    const { sessions, users } = makeSite();
    const id = sessions.create('alice', { theme: 'dark' });
    const client = await connectTo(
      {
        connect: withUserFromHttp({ sessions, users })((message) => {
          message.channelSession.set('theme', message.httpSession?.data.theme as string);
        }),
        receive: withChannelUser((message) => message.channel.sendJson([message.user.id, message.channelSession.get('theme')])),
      },
      { cookies: { sessionid: id } },
    );
    await client.send('a');
    expect(client.sentJson).toEqual([['alice', 'dark']]);
    expect(client.authentication).toMatchObject({ outcome: 'ok', source: 'http-session' });
  });
});

describe('enforce_ordering → withOrdering', () => {
  it('runs messages one after the other in the order sent, whatever the concurrency', async () => {
    const log: string[] = [];
    const receive = withOrdering(async (message: { readonly text: string }) => {
      log.push(`begin ${message.text}`);
      await new Promise((resolve) => setImmediate(resolve));
      log.push(`end ${message.text}`);
    });
    const client = await connectTo({ receive }, { concurrency: 8 });
    await Promise.all(['a', 'b', 'c'].map((text) => client.send(text)));
    expect(log).toEqual(['begin a', 'end a', 'begin b', 'end b', 'begin c', 'end c']);
  });
});

describe('allowed_hosts_only → withAllowedOrigins', () => {
  it('refuses a connect from an origin that is not allowed with 403', async () => {
    const connect = withAllowedOrigins(['https://app.example.com'])(() => {});
    const options = { headers: { host: 'app.example.com' }, onWarning: () => {} };
    expect((await connectTo({ connect }, { ...options, origin: 'https://app.example.com' })).refusal).toBeUndefined();
    const other = await connectTo({ connect }, { ...options, origin: 'https://other.example.com', origins: ['https://other.example.com'] });
    expect(other.refusal).toEqual({ status: 403 });
  });
});

describe('accept / deny → DenyConnection', () => {
  it('connect runs before the handshake is answered: a refusal is HTTP 403, and nothing that it sent goes out', async () => {
    const client = await connectTo({
      connect: (message) => {
        message.channel.send('too early');
        throw new DenyConnection();
      },
    });
    expect(client.refusal).toEqual({ status: 403 });
    expect(client.sent).toEqual([]);
  });
});
