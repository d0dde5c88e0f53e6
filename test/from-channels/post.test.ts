import { describe, expect, it, vi } from 'vitest';
import { withAuthenticatedUser, withChannelUser, withUserFromToken } from '../../entries/index.js';
import { connectTo, TestClock } from '../../entries/testing.js';
import { MemorySessionStore } from '../../src/session/memory-session-store.js';
import { tokenIdOf } from '../../src/token-id.js';
import { aliceKey as key, makeSite } from '../support/site.js';

describe('channel_session_user_from_token → withUserFromToken', () => {
  it('gives the user of the cookie `key` and a channel session, and returns what the handler returns', async () => {
    const { tokens } = makeSite();
    const results: unknown[] = [];
    const connect = withUserFromToken({ tokens })((message) => {
      message.channelSession.set('seen', true);
      message.channel.sendJson(message.user.id);
      return 'result';
    });
    const client = await connectTo(
      {
        connect: (message) => {
          const result = connect(message);
          results.push(result);
          return result;
        },
      },
      { headers: { cookie: `key=${key};` } },
    );
    expect(client.sentJson).toEqual(['alice']);
    expect(await results[0]).toBe('result');
    expect(client.channelSession.get('seen')).toBe(true);
  });

  it('gives the anonymous user where there is no key', async () => {
    const { tokens } = makeSite();
    const client = await connectTo({ connect: withUserFromToken({ tokens })(() => {}) });
    expect(client.user).toEqual({ id: null, isAuthenticated: false });
    expect(client.authentication?.outcome).toBe('missing');
  });
});

describe('a fault of the post is not ported', () => {
  it.each(['monkey', 'session_key', 'xkey', 'KEY', 'key2'])(
    'a cookie whose name only contains "key" is not taken for it: %s',
    async (name) => {
      const { tokens } = makeSite();
      const findById = vi.spyOn(tokens, 'findById');
      const client = await connectTo({ connect: withUserFromToken({ tokens })(() => {}) }, { cookies: { [name]: key } });
      expect(client.authentication?.outcome).toBe('missing');
      expect(findById).not.toHaveBeenCalled();
    },
  );

  it('an unknown token, or one whose user is gone, makes the user anonymous instead of throwing out of the handler', async () => {
    const { tokens, users } = makeSite();
    const handlers = { connect: withUserFromToken({ tokens })(() => {}) };
    const unknown = await connectTo(handlers, { cookies: { key: 'f'.repeat(40) } });
    expect([unknown.refusal, unknown.user.isAuthenticated, unknown.authentication?.outcome]).toEqual([undefined, false, 'unknown']);
    users.delete('alice');
    const gone = await connectTo(handlers, { cookies: { key } });
    expect([gone.refusal, gone.user.isAuthenticated, gone.authentication?.outcome]).toEqual([undefined, false, 'inactive-user']);
  });

  it('messages after connect know the user, though they have no headers', async () => {
    const { tokens } = makeSite();
    const findById = vi.spyOn(tokens, 'findById');
    const client = await connectTo(
      {
        connect: withUserFromToken({ tokens })(() => {}),
        receive: withUserFromToken({ tokens })((message) => message.channel.sendJson(message.user.id)),
        disconnect: withChannelUser((message) => expect(message.user.id).toBe('alice')),
      },
      { cookies: { key } },
    );
    await client.send('one');
    await client.send('two');
    expect(client.sentJson).toEqual(['alice', 'alice']);
    expect(findById).toHaveBeenCalledTimes(1);
    await client.disconnect();
  });

  it('the bearer token itself is kept in no session store', async () => {
    const { tokens } = makeSite();
    const store = new MemorySessionStore();
    const create = vi.spyOn(store, 'create');
    const connect = withUserFromToken({ tokens })((message) => message.channelSession.set('n', 1));
    await connectTo({ connect }, { cookies: { key }, session: { store } });
    expect(create).toHaveBeenCalledTimes(1);
    expect(JSON.stringify(create.mock.calls)).not.toContain(key);
    expect(JSON.stringify(create.mock.calls)).not.toContain(tokenIdOf(key));
  });

  it("another site's page cannot open a socket with the user's cookie", async () => {
    const { tokens } = makeSite();
    const findById = vi.spyOn(tokens, 'findById');
    const handlers = { connect: withUserFromToken({ tokens })(() => {}) };
    const client = await connectTo(handlers, { cookies: { key }, origin: 'https://evil.example', onWarning: () => {} });
    expect(client.refusal).toEqual({ status: 403 });
    expect(findById).not.toHaveBeenCalled();
  });

  it('a token is found with one call, and one that has expired counts no more', async () => {
    const clock = new TestClock();
    const expiresAt = new Date(clock.now() + 1_000);
    const findById = vi.fn(async () => ({ id: tokenIdOf(key), user: { id: 'alice', isAuthenticated: true as const }, expiresAt }));
    const handlers = { connect: withUserFromToken({ tokens: { findById } })(withAuthenticatedUser(() => {})) };
    expect((await connectTo(handlers, { cookies: { key }, clock })).refusal).toBeUndefined();
    expect(findById).toHaveBeenCalledTimes(1);
    await clock.advance(1_000);
    const late = await connectTo(handlers, { cookies: { key }, clock });
    expect(late.refusal).toEqual({ status: 401 });
    expect(late.authentication?.outcome).toBe('expired');
  });

  it('an empty key is malformed, and asks no repository', async () => {
    const { tokens } = makeSite();
    const findById = vi.spyOn(tokens, 'findById');
    const client = await connectTo({ connect: withUserFromToken({ tokens })(() => {}) }, { headers: { cookie: 'key=' } });
    expect(client.authentication?.outcome).toBe('malformed');
    expect(findById).not.toHaveBeenCalled();
  });
});
