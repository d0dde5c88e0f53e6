import { describe, expect, it, vi } from 'vitest';
import {
  anonymousUser,
  ChannelError,
  ClientError,
  DenyConnection,
  fromHttpSession,
  type HasHttpSession,
  type ReceiveMessage,
  type Wrapper,
  withAuthenticatedUser,
  withChannelAndHttpSession,
  withChannelUser,
  withClientErrors,
  withHttpSession,
  withHttpUser,
  withUserFrom,
  withUserFromHttp,
} from '../../entries/index.js';
import type { MemoryHttpSessionReader } from '../../entries/memory.js';
import { connectTo } from '../../entries/testing.js';
import type { HttpSession, HttpSessionReader } from '../../src/contracts/http-session-reader.js';
import { alice, bob, codesOf, expectProcessToLive, makeSite, type Site } from '../support/site.js';

expectProcessToLive();

/** Every wrapper that gives the HTTP session, by name. */
const wrappers = [
  ['withHttpSession', ({ sessions }) => withHttpSession({ sessions })],
  ['withChannelAndHttpSession', ({ sessions }) => withChannelAndHttpSession({ sessions })],
  ['withHttpUser', ({ sessions, users }) => withHttpUser({ sessions, users })],
  ['withUserFromHttp', ({ sessions, users }) => withUserFromHttp({ sessions, users })],
  ['withUserFrom', ({ sessions, users }) => withUserFrom(fromHttpSession({ sessions, users }))],
] as [string, (site: Site) => Wrapper<HasHttpSession>][];

/** A site where alice has logged in on the web, and what a server takes to let her in by that. */
function loggedIn() {
  const site = makeSite();
  const { sessions, users, options } = site;
  const id = sessions.create('alice', { visits: 0 });
  const connect = withUserFromHttp({ sessions, users })(() => {});
  return {
    ...site,
    id,
    connect,
    connectOptions: { ...options, cookies: { sessionid: id } },
    stored: async () => (await sessions.readById(id))?.data,
  };
}

function visit({ httpSession }: HasHttpSession): void {
  if (httpSession !== undefined) httpSession.data.visits = Number(httpSession.data.visits) + 1;
}

/** A site whose sessions know people by another id than its users have, as where a log-in is by mail. */
function knownByMail() {
  const site = makeSite();
  const id = site.sessions.create('alice@example.com');
  const users: Site['users'] = Object.create(site.users);
  users.findById = async (mail) => (mail === 'alice@example.com' ? alice : undefined);
  Object.defineProperty(users, 'findByIds', { value: undefined });
  return { ...site, users, id };
}

describe.each(wrappers)('%s, where sessions know people by another id than users have', (_name, wrapper) => {
  it('keeps the channel as long as the session is the same person’s', async () => {
    const site = knownByMail();
    const { sessions, users, id, options } = site;
    const seen: unknown[] = [];
    const client = await connectTo(
      {
        connect: withUserFromHttp({ sessions, users })(() => {}),
        receive: wrapper(site)((message: HasHttpSession) => void seen.push(message.httpSession?.userId)),
      },
      { ...options, cookies: { sessionid: id } },
    );
    for (let count = 0; count < 2; count += 1) await client.send('x');
    expect([seen, client.closed, site.errors]).toEqual([['alice@example.com', 'alice@example.com'], undefined, []]);
    vi.spyOn(sessions, 'readById').mockResolvedValue({ id, userId: 'alice', data: {}, save: async () => undefined });
    await client.send('x');
    expect(client.closed).toEqual({ code: 3000, reason: 'session ended' });
  });
});

describe.each(wrappers)('%s', (_name, wrapper) => {
  it('saves what a handler of any slot changed', async () => {
    const site = loggedIn();
    const wrap = wrapper(site);
    const client = await connectTo({ connect: wrap(visit), receive: wrap(visit), disconnect: wrap(visit) }, site.connectOptions);
    expect(await site.stored()).toEqual({ visits: 1 });
    await client.send('a');
    expect(await site.stored()).toEqual({ visits: 2 });
    await client.disconnect();
    expect(await site.stored()).toEqual({ visits: 3 });
    expect(site.errors).toEqual([]);
  });

  it('saves nothing of a connect that refuses', async () => {
    const site = loggedIn();
    const connect = wrapper(site)((message) => {
      visit(message);
      throw new DenyConnection();
    });
    expect((await connectTo({ connect }, site.connectOptions)).refusal).toEqual({ status: 403 });
    expect(await site.stored()).toEqual({ visits: 0 });
  });

  it('gives nobody a session who came without one, on any message', async () => {
    const site = loggedIn();
    const seen: unknown[] = [];
    const wrap = wrapper(site);
    const note = ({ httpSession }: HasHttpSession): void => void seen.push(httpSession);
    const create = vi.spyOn(site.sessions, 'create');
    const client = await connectTo({ connect: wrap(note), receive: wrap(note), disconnect: wrap(note) }, site.options);
    await client.send('a');
    await client.disconnect();
    expect(seen).toEqual([undefined, undefined, undefined]);
    expect(create).not.toHaveBeenCalled();
  });

  it('is undefined on disconnect where it cannot be read, and the disconnect handler runs all the same', async () => {
    const site = loggedIn();
    const seen: unknown[] = [];
    const disconnect = wrapper(site)((message) => void seen.push(message.httpSession));
    const client = await connectTo({ connect: site.connect, disconnect }, site.connectOptions);
    vi.spyOn(site.sessions, 'readById').mockRejectedValue(new Error('down'));
    await client.disconnect();
    expect(seen).toEqual([undefined]);
    expect(codesOf(site.errors)).toEqual(['ERR_LOOKUP_FAILED']);
    expect(String(site.errors[0])).toMatch(/HTTP session/);
  });

  it('ends the channel that a gone one identified, also where the handler only tells its client of an error', async () => {
    const site = loggedIn();
    const receive = withClientErrors(
      wrapper(site)(() => {
        throw new ClientError('full');
      }),
    );
    const client = await connectTo({ connect: site.connect, receive }, site.connectOptions);
    await client.send('a');
    expect(client.closed).toBeUndefined();
    site.sessions.destroy(site.id);
    await client.send('b');
    expect(client.sentJson).toEqual([{ error: 'full' }, { error: 'full' }]);
    expect(client.closed).toEqual({ code: 3000, reason: 'session ended' });
    expect(site.errors).toEqual([]);
  });

  it('is as it was at connect where the reader keeps the id from us, since such a session cannot be read again', async () => {
    const site = makeSite();
    const session: HttpSession = { id: undefined, userId: 'alice', data: { theme: 'dark' }, save: async () => {} };
    const readById = vi.fn(async () => undefined);
    const sessions = { read: async () => session, readById } as unknown as MemoryHttpSessionReader;
    const seen: unknown[] = [];
    const client = await connectTo(
      {
        connect: withUserFromHttp({ sessions, users: site.users })((message) => void seen.push(message.httpSession === session)),
        receive: withChannelUser(
          withClientErrors(
            wrapper({ ...site, sessions })(({ httpSession }) => {
              seen.push({ ...httpSession?.data });
              if (httpSession !== undefined) httpSession.data.theme = 'light';
              throw new ClientError('what is not saved is not seen by the next message');
            }),
          ),
        ),
      },
      site.options,
    );
    await client.send('a');
    await client.send('b');
    expect(seen).toEqual([true, { theme: 'dark' }, { theme: 'dark' }]);
    expect(client.user).toBe(alice);
    expect(client.closed).toBeUndefined();
    expect(readById).not.toHaveBeenCalled();
  });

  it('closes with 1011 where saving does not end in time', async () => {
    const { clock, users, options, errors } = makeSite();
    const session: HttpSession = { id: 'a', userId: 'alice', data: { visits: 0 }, save: () => new Promise(() => {}) };
    const sessions = { read: async () => session, readById: async () => session } as unknown as MemoryHttpSessionReader;
    const client = await connectTo({ receive: wrapper({ ...makeSite(), sessions, users })(visit) }, { ...options, connectTimeoutMs: 500 });
    const handled = client.send('a');
    await clock.advance(500);
    await handled;
    expect(client.closed?.code).toBe(1011);
    expect(codesOf(errors)).toEqual(['ERR_SESSION_SAVE_FAILED']);
    await clock.advance(1_000);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a session that the reader keeps the id of from us', () => {
  /** Saves what it is given, or fails. */
  function keptSession(save: () => Promise<void>) {
    const site = makeSite();
    const session: HttpSession = { id: undefined, userId: 'alice', data: { visits: 0 }, save };
    const sessions = { read: async () => session, readById: async () => undefined };
    return { ...site, session, wrap: withHttpSession({ sessions }) };
  }

  it('is seen by later messages as it was saved', async () => {
    const { wrap, options, session } = keptSession(async () => {});
    const seen: unknown[] = [];
    const note = (message: HasHttpSession): void => {
      seen.push(message.httpSession?.data.visits);
      visit(message);
    };
    const client = await connectTo({ connect: wrap(() => {}), receive: wrap(note) }, options);
    await client.send('a');
    await client.send('b');
    expect(seen).toEqual([0, 1]);
    expect(session.data).toEqual({ visits: 2 });
  });

  it('ends a channel whose handler changed it where it can only be read, and stays as it was', async () => {
    const { wrap, options, session, errors } = keptSession(async () => {
      throw new ChannelError('ERR_HTTP_SESSION_READ_ONLY', 'no');
    });
    const client = await connectTo({ receive: wrap(visit) }, options);
    await client.send('a');
    expect(client.closed).toEqual({ code: 1011, reason: 'internal error' });
    expect(codesOf(errors)).toEqual(['ERR_HTTP_SESSION_READ_ONLY']);
    expect(session.data).toEqual({ visits: 0 });
  });
});

describe('withHttpUser', () => {
  it('gives the user of the session as it is now, and ends the channel that another one had identified', async () => {
    const { sessions, users, connect, connectOptions, id } = loggedIn();
    const seen: unknown[] = [];
    const receive = withHttpUser({ sessions, users })((message) => void seen.push(message.user));
    const client = await connectTo({ connect, receive }, connectOptions);
    await client.send('a');
    vi.spyOn(sessions, 'readById').mockResolvedValue({ id, userId: 'bob', data: {}, save: async () => {} });
    await client.send('b');
    expect(seen).toEqual([alice, bob]);
    expect(client.closed).toEqual({ code: 3000, reason: 'session ended' });
  });

  it('closes with 1013 on receive where the user cannot be looked up, or not in time', async () => {
    for (const findById of [() => Promise.reject(new Error('down')), () => new Promise<undefined>(() => {})]) {
      const { sessions, users, connectOptions, clock, errors } = loggedIn();
      const reached = vi.fn();
      const client = await connectTo({ receive: withHttpUser({ sessions, users })(reached) }, { ...connectOptions, connectTimeoutMs: 500 });
      vi.spyOn(users, 'findById').mockImplementation(findById);
      const handled = client.send('a');
      await clock.advance(500);
      await handled;
      expect(client.closed?.code).toBe(1013);
      expect(reached).not.toHaveBeenCalled();
      expect(errors).toHaveLength(1);
      expect(clock.pendingTimers).toBe(0);
    }
  });

  it('runs the disconnect handler although the user cannot be looked up, with whom the channel knows', async () => {
    const { sessions, users, connect, connectOptions, errors } = loggedIn();
    const seen: unknown[] = [];
    const disconnect = withHttpUser({ sessions, users })((message) => void seen.push(message.user));
    const client = await connectTo({ connect, disconnect }, connectOptions);
    vi.spyOn(users, 'findById').mockRejectedValue(new Error('down'));
    await client.disconnect();
    expect(seen).toEqual([alice]);
    expect(codesOf(errors)).toEqual(['ERR_LOOKUP_FAILED']);
  });

  it('identifies no channel: authentication says nothing, and a guard inside refuses who has no session', async () => {
    const { sessions, users, options, id } = loggedIn();
    const seen: unknown[] = [];
    const connect = withHttpUser({ sessions, users })(
      withAuthenticatedUser((message) => void seen.push(message.user, message.authentication, message.channel.user)),
    );
    expect((await connectTo({ connect }, options)).refusal).toEqual({ status: 401 });
    expect((await connectTo({ connect }, { ...options, cookies: { sessionid: id } })).refusal).toBeUndefined();
    expect(seen).toEqual([alice, undefined, anonymousUser]);
  });
});

describe('withAuthenticatedUser after the HTTP session is gone', () => {
  it('refuses on receive, and runs the disconnect handler, whose channel was authenticated once', async () => {
    const { sessions, users, connectOptions, id, errors } = loggedIn();
    const log: string[] = [];
    const wrap = withUserFromHttp({ sessions, users });
    const client = await connectTo(
      {
        connect: wrap(withAuthenticatedUser(() => {})),
        receive: wrap(withAuthenticatedUser<ReceiveMessage>((message) => void log.push(message.text))),
        disconnect: wrap(withAuthenticatedUser((message) => void log.push(message.user.id, String(message.httpSession)))),
      },
      connectOptions,
    );
    await client.send('a');
    sessions.destroy(id);
    await client.send('b');
    expect(client.closed).toEqual({ code: 3000, reason: 'session ended' });
    expect(log).toEqual(['a', 'alice', 'undefined']);
    expect(errors).toEqual([]);
  });
});

it('what was received before its client left is not handled where a message finds the HTTP session gone that had identified the channel', async () => {
  const { sessions, users, connect, connectOptions, id } = loggedIn();
  const log: string[] = [];
  const receive = withUserFromHttp({ sessions, users })<ReceiveMessage>((message) => void log.push(`${message.text} ${message.user.id}`));
  const client = await connectTo({ connect, receive, disconnect: () => void log.push('disconnect') }, connectOptions);
  sessions.destroy(id);
  const handled = ['a', 'b'].map((text) => client.send(text));
  void client.disconnect();
  await Promise.all(handled);
  expect(log).toEqual(['a null', 'disconnect']);
});

describe('a reader that says null', () => {
  it('says that there is no session', async () => {
    const reader = { read: async () => null, readById: async () => null } as unknown as HttpSessionReader;
    const seen: unknown[] = [];
    const wrap = withHttpSession({ sessions: reader });
    const note = ({ httpSession }: HasHttpSession): void => void seen.push(httpSession);
    const client = await connectTo({ connect: wrap(note), receive: wrap(note) });
    await client.send('a');
    expect(seen).toEqual([undefined, undefined]);
  });
});
