import { describe, expect, it, vi } from 'vitest';
import {
  ChannelServer,
  query,
  type ReceiveMessage,
  withAuthenticatedUser,
  withChannelSession,
  withChannelUser,
  withOrdering,
  withUserFromHttp,
  withUserFromToken,
} from '../../entries/index.js';
import { connectTo } from '../../entries/testing.js';
import { MemorySessionStore } from '../../src/session/memory-session-store.js';
import { aliceKey as key, makeSite } from '../support/site.js';

describe('a trap of Channels is not ported', () => {
  it('enforce_ordering: a throw does not stall what the channel still has to do', async () => {
    const disconnected = vi.fn();
    const onError = vi.fn();
    const receive = withOrdering(() => {
      throw new Error('one of them');
    });
    const client = await connectTo({ receive, disconnect: disconnected }, { concurrency: 4, onError });
    await client.send('a');
    expect(client.closed?.code).toBe(1011);
    expect(onError).toHaveBeenCalledTimes(1);
    expect(disconnected).toHaveBeenCalledTimes(1);
  });

  it('*_from_http on a receive handler: the user is not overwritten with the anonymous one for want of headers', async () => {
    const { sessions, users } = makeSite();
    const id = sessions.create('alice');
    const wrap = withUserFromHttp({ sessions, users });
    const client = await connectTo(
      { connect: wrap(() => {}), receive: wrap((message) => message.channel.sendJson(message.user.id)) },
      { cookies: { sessionid: id } },
    );
    await client.send('a');
    expect(client.sentJson).toEqual(['alice']);
  });

  it('sessions saved as whole blobs: two channels that change different keys of one session both keep their change', async () => {
    const { tokens } = makeSite();
    const store = new MemorySessionStore();
    const receive = withChannelUser<ReceiveMessage>((message) => {
      const [name = '', value] = message.text.split('=');
      message.channelSession.set(name, value);
    });
    const connect = withUserFromToken({ tokens })(() => {});
    const make = () => new ChannelServer({ connect, receive }, { session: { store, scope: 'user' } });
    const [one, two] = await Promise.all([connectTo(make(), { cookies: { key } }), connectTo(make(), { cookies: { key } })]);
    await one.send('a=1');
    await two.send('b=2');
    const three = await connectTo(make(), { cookies: { key } });
    expect([three.channelSession.get('a'), three.channelSession.get('b')]).toEqual(['1', '2']);
  });

  it('a destroyed session is not brought back to life by a late save', async () => {
    const { tokens } = makeSite();
    const store = new MemorySessionStore();
    const destroy: string[] = [];
    const create = store.create.bind(store);
    vi.spyOn(store, 'create').mockImplementation((id, session) => {
      destroy.push(id);
      return create(id, session);
    });
    const onError = vi.fn();
    const receive = withChannelUser<ReceiveMessage>((message) => message.channelSession.set('text', message.text));
    const connect = withUserFromToken({ tokens })(() => {});
    const client = await connectTo({ connect, receive }, { cookies: { key }, session: { store, scope: 'user' }, onError });
    await client.send('a');
    await store.destroy(destroy[0] as string);
    await client.send('b');
    expect(onError.mock.calls[0]?.[0]).toMatchObject({ code: 'ERR_SESSION_GONE' });
    expect(client.closed?.code).toBe(1011);
    expect(store.size).toBe(0);
  });

  it('channel sessions are deleted when the socket closes', async () => {
    const store = new MemorySessionStore();
    const receive = withChannelSession((message) => message.channelSession.set('n', 1));
    const client = await connectTo({ receive }, { session: { store } });
    await client.send('a');
    expect(store.size).toBe(1);
    await client.disconnect();
    expect(store.size).toBe(0);
  });

  it('a session key in the URL is not accepted, and a token there only where the application says so', async () => {
    const { tokens, sessions, users } = makeSite();
    const id = sessions.create('alice');
    const http = await connectTo(
      { connect: withUserFromHttp({ sessions, users })(() => {}) },
      { url: `/?session_key=${id}&sessionid=${id}` },
    );
    expect(http.user.isAuthenticated).toBe(false);
    const unasked = await connectTo({ connect: withUserFromToken({ tokens })(() => {}) }, { url: `/?key=${key}` });
    expect(unasked.user.isAuthenticated).toBe(false);
    const receive = withChannelUser((message) => message.channel.sendJson(message.request.url));
    const asked = await connectTo(
      { connect: withUserFromToken({ tokens, from: query('key') })(() => {}), receive },
      { url: `/?a=1&key=${key}` },
    );
    expect(asked.user.id).toBe('alice');
    await asked.send('url');
    expect(asked.sentJson).toEqual(['/?a=1&key=***']);
  });

  it('no decorator blocked an anonymous user: withAuthenticatedUser does', async () => {
    const { tokens } = makeSite();
    const reached = vi.fn();
    const client = await connectTo({ connect: withUserFromToken({ tokens })(withAuthenticatedUser(reached)) });
    expect(client.refusal).toEqual({ status: 401 });
    expect(reached).not.toHaveBeenCalled();
  });

  it('a missing Origin is not refused: native clients do not send it', async () => {
    const { tokens } = makeSite();
    const client = await connectTo({ connect: withUserFromToken({ tokens })(withAuthenticatedUser(() => {})) }, { cookies: { key } });
    expect(client.refusal).toBeUndefined();
    expect(client.user.id).toBe('alice');
  });
});
