import { describe, expect, it, vi } from 'vitest';
import {
  ChannelServer,
  ClientError,
  compose,
  fromHttpSession,
  fromToken,
  type HasHttpSession,
  type ReceiveMessage,
  type Wrapper,
  withChannelAndHttpSession,
  withChannelUser,
  withClientErrors,
  withHttpSession,
  withHttpUser,
  withUserFrom,
  withUserFromHttp,
} from '../../entries/index.js';
import { connectTo } from '../../entries/testing.js';
import type { HttpSession, HttpSessionReader } from '../../src/contracts/http-session-reader.js';
import { aliceKey as key, makeSite } from '../support/site.js';

function setUp() {
  const accounts = makeSite();
  const { sessions, users } = accounts;
  const id = sessions.create('alice', { theme: 'dark' });
  return { ...accounts, id, options: { sessions, users }, cookies: { sessionid: id } };
}

describe('the HTTP session of a handshake', () => {
  it('is read once, however many wrappers and sources ask for it', async () => {
    const { sessions, options, cookies } = setUp();
    const read = vi.spyOn(sessions, 'read');
    const connect = withHttpSession({ sessions })(
      withUserFrom(fromHttpSession(options))(withChannelAndHttpSession({ sessions })(withHttpUser(options)(() => {}))),
    );
    const client = await connectTo({ connect, disconnect: withHttpSession({ sessions })(() => {}) }, { cookies });
    expect(client.user.id).toBe('alice');
    expect(read).toHaveBeenCalledTimes(1);
  });

  it('is not saved with what nobody can copy, and the error says so', async () => {
    const { sessions, cookies, id } = setUp();
    const errors: unknown[] = [];
    const receive = withHttpSession({ sessions })((message) => {
      if (message.httpSession) message.httpSession.data['greet'] = () => 'hello';
    });
    const client = await connectTo({ receive }, { cookies, onError: (error) => void errors.push(error) });
    await client.send('a');
    expect(client.closed?.code).toBe(1011);
    expect(errors).toMatchObject([{ name: 'TypeError', message: expect.stringMatching(/^message\.httpSession: data must /) }]);
    expect((await sessions.readById(id))?.data).toEqual({ theme: 'dark' });
  });

  it('is read at connect when only a later slot wants it', async () => {
    const { sessions, cookies } = setUp();
    const receive = withHttpSession({ sessions })((message) => message.channel.sendJson(message.httpSession?.data));
    const client = await connectTo({ receive }, { cookies });
    await client.send('a');
    expect(client.sentJson).toEqual([{ theme: 'dark' }]);
  });

  it('is read again by its id once per later message, and only by the wrappers that want it', async () => {
    const { sessions, options, cookies } = setUp();
    const readById = vi.spyOn(sessions, 'readById');
    const client = await connectTo(
      {
        connect: withUserFromHttp(options)(() => {}),
        receive: withHttpSession({ sessions })(withUserFromHttp(options)((message) => message.channel.send(message.httpSession?.id ?? ''))),
        disconnect: withChannelUser(() => {}),
      },
      { cookies },
    );
    readById.mockClear();
    await client.send('a');
    expect(client.sent).toEqual([cookies.sessionid]);
    expect(readById).toHaveBeenCalledTimes(1);
    await client.disconnect();
    expect(readById).toHaveBeenCalledTimes(1);
  });

  it.each(['failing', 'throwing at once'])('refuses with 503 where its reader is %s, never as anonymous', async (manner) => {
    const { users } = setUp();
    const error = new Error('down');
    const read =
      manner === 'failing'
        ? () => Promise.reject(error)
        : () => {
            throw error;
          };
    const sessions: HttpSessionReader = { read, readById: read };
    const reached = vi.fn();
    const onError = vi.fn();
    const options = { sessions, users };
    for (const connect of [withUserFromHttp(options)(reached), withHttpSession({ sessions })(reached), withHttpUser(options)(reached)]) {
      const client = await connectTo({ connect }, { onError });
      expect(client.refusal).toEqual({ status: 503 });
    }
    expect(reached).not.toHaveBeenCalled();
    expect(onError.mock.calls.map(([reported]) => (reported as { code: string }).code)).toEqual(Array(3).fill('ERR_LOOKUP_FAILED'));
    for (const [reported] of onError.mock.calls) expect(reported.message).toMatch(/HTTP session/);
  });

  it('closes with 1013 where it cannot be read again on receive; on disconnect it is undefined', async () => {
    const { sessions, options, cookies } = setUp();
    const seen: unknown[] = [];
    const client = await connectTo(
      {
        connect: withUserFromHttp(options)(() => {}),
        receive: withHttpSession({ sessions })(() => void seen.push('receive')),
        disconnect: withUserFromHttp(options)((message) => void seen.push(message.httpSession, message.user.id)),
      },
      { cookies, onError: () => {} },
    );
    vi.spyOn(sessions, 'readById').mockRejectedValue(new Error('down'));
    await client.send('a');
    expect(client.closed?.code).toBe(1013);
    expect(seen).toEqual([undefined, 'alice']);
  });
});

describe('a changed HTTP session', () => {
  it('is saved after the handler, once, and not where nothing changed', async () => {
    const { sessions, cookies } = setUp();
    const session = (await sessions.readById(cookies.sessionid)) as HttpSession;
    const save = vi.spyOn(session, 'save');
    vi.spyOn(sessions, 'readById').mockResolvedValue(session);
    const receive = withHttpSession({ sessions })<ReceiveMessage>((message) => {
      if (message.httpSession !== undefined && message.text === 'change') message.httpSession.data.theme = 'light';
    });
    const client = await connectTo({ receive }, { cookies });
    await client.send('leave');
    expect(save).not.toHaveBeenCalled();
    await client.send('change');
    expect(save).toHaveBeenCalledTimes(1);
  });

  it('is not saved after a ClientError, which the client is told', async () => {
    const { sessions, cookies } = setUp();
    const receive = withClientErrors(
      withHttpSession({ sessions })((message) => {
        if (message.httpSession !== undefined) message.httpSession.data.theme = 'light';
        throw new ClientError('no', { why: 'because' });
      }),
    );
    const client = await connectTo({ receive }, { cookies });
    await client.send('a');
    expect(client.sentJson).toEqual([{ error: 'no', why: 'because' }]);
    expect((await sessions.readById(cookies.sessionid))?.data).toEqual({ theme: 'dark' });
  });

  it('closes with 1011 where it cannot be saved, and a gone one stays gone', async () => {
    const { sessions, cookies } = setUp();
    const onError = vi.fn();
    const receive = withHttpSession({ sessions })((message) => {
      if (message.httpSession !== undefined) message.httpSession.data.theme = 'light';
      sessions.destroy(cookies.sessionid);
    });
    const client = await connectTo({ receive }, { cookies, onError });
    await client.send('a');
    expect(client.closed?.code).toBe(1011);
    expect(onError.mock.calls[0]?.[0]).toMatchObject({ code: 'ERR_SESSION_GONE' });
    expect(await sessions.readById(cookies.sessionid)).toBeUndefined();
  });

  it('closes with 1011 where saving fails for a reason of its own', async () => {
    const session: HttpSession = { id: 'a', userId: 'alice', data: {}, save: () => Promise.reject(new Error('disk full')) };
    const sessions: HttpSessionReader = { read: async () => session, readById: async () => session };
    const onError = vi.fn();
    const receive = withHttpSession({ sessions })((message) => {
      if (message.httpSession !== undefined) message.httpSession.data.changed = true;
    });
    const client = await connectTo({ receive }, { onError });
    await client.send('a');
    expect(client.closed?.code).toBe(1011);
    expect(onError.mock.calls[0]?.[0]).toMatchObject({ code: 'ERR_SESSION_SAVE_FAILED' });
  });
});

describe('an HTTP session that is gone', () => {
  it.each([
    ['withUserFromHttp', ({ options }) => withUserFromHttp(options)],
    ['withHttpSession', ({ options }) => withHttpSession({ sessions: options.sessions })],
    ['withChannelAndHttpSession', ({ options }) => withChannelAndHttpSession({ sessions: options.sessions })],
    ['withHttpUser', ({ options }) => withHttpUser(options)],
  ] as [string, (made: ReturnType<typeof setUp>) => Wrapper<HasHttpSession>][])(
    'is undefined under %s, its user anonymous, and the channel that it identified ends with 3000',
    async (_name, wrapper) => {
      const made = setUp();
      const seen: unknown[] = [];
      const receive = wrapper(made)(withChannelUser((message) => void seen.push(message.user.id, message.channel.sendJson('in time'))));
      const client = await connectTo({ connect: withUserFromHttp(made.options)(() => {}), receive }, { cookies: made.cookies });
      await client.send('a');
      expect(client.closed).toBeUndefined();
      made.sessions.destroy(made.id);
      await client.send('b');
      expect(seen).toEqual(['alice', true, null, true]);
      expect(client.closed?.code).toBe(3000);
    },
  );

  it('ends the channel as well where somebody else has logged in with it', async () => {
    const made = setUp();
    const other: HttpSession = { id: made.id, userId: 'bob', data: {}, save: async () => {} };
    const receive = withUserFromHttp(made.options)((message) => message.channel.sendJson(message.user.id));
    const client = await connectTo({ connect: withUserFromHttp(made.options)(() => {}), receive }, { cookies: made.cookies });
    vi.spyOn(made.sessions, 'readById').mockResolvedValue(other);
    await client.send('a');
    expect(client.sentJson).toEqual([null]);
    expect(client.closed?.code).toBe(3000);
  });

  it('leaves a channel alone that a token identified', async () => {
    const made = setUp();
    const { tokens, sessions, cookies } = made;
    const receive = compose(
      withHttpSession({ sessions }),
      withChannelUser,
    )((message) => message.channel.sendJson([message.user.id, message.httpSession ?? null]));
    const connect = withUserFrom(fromToken({ tokens }), fromHttpSession(made.options))(() => {});
    const client = await connectTo({ connect, receive }, { cookies: { ...cookies, key } });
    sessions.destroy(made.id);
    await client.send('a');
    expect(client.sentJson).toEqual([['alice', null]]);
    expect(client.closed).toBeUndefined();
  });
});

describe('dependencies of HTTP wrappers', () => {
  it('are missed when the server is made', () => {
    const { sessions, users } = setUp();
    const code = 'ERR_DEPENDENCY_MISSING';
    for (const handler of [withHttpSession(() => {}), withHttpUser({ users })(() => {}), withUserFromHttp({ sessions })(() => {})]) {
      expect(() => new ChannelServer({ receive: handler })).toThrowError(expect.objectContaining({ code }));
    }
  });

  it('are options that exist', () => {
    expect(() => withHttpSession({ session: {} } as never)).toThrow(TypeError);
    expect(() => withUserFromHttp({ tokens: {} } as never)).toThrow(TypeError);
    expect(() => withHttpUser({ reader: {} } as never)).toThrow(TypeError);
  });

  it('withHttpUser refuses with 503 where its user cannot be looked up', async () => {
    const { sessions, cookies } = setUp();
    const users = { findById: () => Promise.reject(new Error('down')) };
    const client = await connectTo({ connect: withHttpUser({ sessions, users })(() => {}) }, { cookies, onError: () => {} });
    expect(client.refusal).toEqual({ status: 503 });
  });
});
