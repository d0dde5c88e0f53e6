import { MemoryStore, type Store } from 'express-session';
import { ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { ExpressSessionReader, type ExpressSessionReaderOptions } from '../../../entries/express.js';
import { ChannelServer, type HttpSession, withHttpSession, withUserFromHttp } from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { codeOf, expectProcessToLive, makeSite } from '../../support/site.js';
import { asked, cookieOf, held, requestWith, sessionMiddleware, stored } from './express-site.js';
import { FaultyStore } from './faulty-store.js';

expectProcessToLive();

/** A session of a site, and whoever reads it. */
async function makeSession(data: object, { store = new FaultyStore(), maxAge = 60_000 }: { store?: Store; maxAge?: number | null } = {}) {
  const reader = new ExpressSessionReader(sessionMiddleware({ store }), { store });
  const id = await stored(store, data, maxAge);
  const read = async (): Promise<HttpSession> => {
    const session = await reader.read(requestWith(cookieOf(id)));
    if (session === undefined) throw new Error('the session must be found');
    return session;
  };
  return { store, reader, id, read };
}

/** When a stored session ends. */
async function endOf(store: Store, id: string): Promise<number> {
  const found = await asked<{ cookie: { expires: string } }>((done) => store.get(id, done as never));
  return new Date(found?.cookie.expires ?? 0).getTime();
}

describe('save', () => {
  it('merges the top-level keys that were changed here into what is stored meanwhile', async () => {
    const { store, id, read } = await makeSession({ theme: 'dark', list: ['a'], gone: 1, kept: 1, flash: 'hello' });
    const session = await read();
    Object.assign(session.data, { theme: 'light', added: { deep: true } });
    delete session.data.gone;
    delete session.data.flash;
    const cookie = { originalMaxAge: 60_000, expires: new Date(Date.now() + 60_000) };
    await asked((done) => store.set(id, { theme: 'blue', list: ['b'], gone: 2, kept: 2, theirs: 1, cookie } as never, done));
    await session.save();
    expect(await held(store, id)).toEqual({ theme: 'light', list: ['b'], kept: 2, theirs: 1, added: { deep: true } });
  });

  it('writes only what was changed since the last one, and nothing where nothing was', async () => {
    const { store, id, read } = await makeSession({ theme: 'dark', list: ['a'] });
    const session = await read();
    session.data.theme = 'light';
    await session.save();
    const other = await read();
    other.data.theme = 'blue';
    await other.save();
    (session.data.list as string[]).push('b');
    await session.save();
    expect(await held(store, id)).toEqual({ theme: 'blue', list: ['a', 'b'] });
    (store as FaultyStore).calls.length = 0;
    await session.save();
    expect((store as FaultyStore).calls).toEqual(['get']);
  });

  it('writes what the data were when it was called', async () => {
    const { store, id, read } = await makeSession({ theme: 'dark' });
    const session = await read();
    session.data.theme = 'light';
    const saving = session.save();
    session.data.theme = 'too late';
    await saving;
    expect(await held(store, id)).toEqual({ theme: 'light' });
    await session.save();
    expect(await held(store, id)).toEqual({ theme: 'too late' });
  });

  it('of several channels at once loses no key', async () => {
    const { store, id, read, reader } = await makeSession({ userId: 'ada' });
    const other = new ExpressSessionReader(sessionMiddleware({ store }), { store });
    const names = Array.from({ length: 20 }, (_, index) => `key${index}`);
    await Promise.all(
      names.map(async (name, index) => {
        const session = index % 2 === 0 ? await read() : await (index % 3 === 0 ? reader : other).readById(id);
        if (session === undefined) throw new Error('the session must be found');
        session.data[name] = index;
        await session.save();
      }),
    );
    expect(Object.keys((await held(store, id)) ?? {})).toEqual(expect.arrayContaining(names));
  });

  it('revives no session that was destroyed elsewhere', async () => {
    const { store, id, read, reader } = await makeSession({ theme: 'dark' });
    const [first, second] = [await read(), await reader.readById(id)];
    first.data.theme = 'light';
    await asked((done) => store.destroy(id, done));
    expect(await codeOf(first.save())).toBe('ERR_SESSION_GONE');
    expect(await codeOf(second?.save())).toBe('ERR_SESSION_GONE');
    expect(await held(store, id)).toBeUndefined();
  });

  it('may revive one that is destroyed between its reading and its writing: that window is the store’s', async () => {
    const { store, id, read } = await makeSession({ theme: 'dark' });
    const session = await read();
    session.data.theme = 'light';
    const { set } = store;
    store.set = (...given) => {
      store.set = set;
      void asked((done) => store.destroy(id, done)).then(() => set.apply(store, given));
    };
    await session.save();
    expect(await held(store, id)).toEqual({ theme: 'light' });
  });

  it('prolongs the session as a request of the site does, and keeps the settings of its cookie', async () => {
    const { store, id, read } = await makeSession({ theme: 'dark' }, { maxAge: 3_600_000 });
    const before = await asked<{ cookie: object }>((done) => store.get(id, done as never));
    const cookie = { ...before?.cookie, expires: new Date(Date.now() + 60_000) };
    await asked((done) => store.set(id, { theme: 'dark', cookie } as never, done));
    const session = await read();
    session.data.theme = 'light';
    await session.save();
    expect(await endOf(store, id)).toBeGreaterThan(Date.now() + 3_000_000);
    const after = await asked<{ cookie: object }>((done) => store.get(id, done as never));
    expect(after?.cookie).toMatchObject({ path: '/', httpOnly: true, originalMaxAge: 3_600_000 });
  });

  it('works with a store that has nothing of express-session', async () => {
    const sessions = new Map<string, string>();
    const store = {
      get: (id: string, done: (error: unknown, session?: object) => void) =>
        done(null, JSON.parse(sessions.get(id) ?? 'null') ?? undefined),
      set(id: string, session: { cookie: { maxAge: number } }, done?: () => void) {
        expect(session.cookie.maxAge).toBeGreaterThan(50_000);
        sessions.set(id, JSON.stringify(session));
        done?.();
      },
      destroy() {},
    };
    sessions.set('a', JSON.stringify({ theme: 'dark', cookie: { originalMaxAge: 60_000, expires: new Date(0).toISOString() } }));
    const session = await new ExpressSessionReader((_request, _response, next) => next(), { store: store as never }).readById('a');
    if (session !== undefined) session.data.theme = 'light';
    await session?.save();
    expect(JSON.parse(sessions.get('a') ?? '')).toMatchObject({ theme: 'light', cookie: { originalMaxAge: 60_000 } });
  });

  it.each<[string, unknown]>([
    ['a function', () => 1],
    ['a symbol', Symbol('a')],
  ])('refuses %s with a TypeError, and writes nothing', async (_, value) => {
    const { store, id, read } = await makeSession({ theme: 'dark' });
    const session = await read();
    session.data.theme = value;
    expect(await codeOf(session.save())).toBe('TypeError');
    expect(await held(store, id)).toEqual({ theme: 'dark' });
  });

  it('writes what JSON has of an object of a class, and leaves alone what was not changed', async () => {
    const id = new ObjectId();
    const found = { owner: id, at: new Date(0), cookie: { originalMaxAge: null, expires: null } };
    const written: Record<string, unknown>[] = [];
    const store = {
      get: (_id: string, done: (error: unknown, session: object) => void) => done(null, { ...found }),
      set: (_id: string, session: Record<string, unknown>, done: () => void) => {
        written.push(session);
        done();
      },
      destroy() {},
    };
    const session = await new ExpressSessionReader((_request, _response, next) => next(), { store }).readById('a');
    await session?.save();
    if (session !== undefined) session.data.editor = id;
    await session?.save();
    expect(written).toMatchObject([{ at: found.at, editor: id.toHexString() }]);
    expect(written[0]?.owner).toBe(id);
  });

  it('refuses a key of the name cookie, which is express-session’s own', async () => {
    const { read } = await makeSession({});
    const session = await read();
    session.data.cookie = {};
    expect(await codeOf(session.save())).toBe('TypeError');
  });

  it('takes __proto__ for a name like any other', async () => {
    const { store, id, read } = await makeSession({});
    const session = await read();
    Object.defineProperty(session.data, '__proto__', { value: { admin: true }, enumerable: true, configurable: true, writable: true });
    await session.save();
    expect(Object.entries((await held(store, id)) ?? {})).toEqual([['__proto__', { admin: true }]]);
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
  });
});

describe('touchWhileOpen', () => {
  /** A server, with a session of this lifetime, and one client on it. */
  async function open(maxAge: number | null, options: ExpressSessionReaderOptions, store: Store = new FaultyStore()) {
    const { options: server, clock, errors } = makeSite();
    const sessions = new ExpressSessionReader(sessionMiddleware({ store }), options);
    const id = await stored(store, { userId: 'alice' }, maxAge);
    const channels = new ChannelServer({ connect: withHttpSession({ sessions })(() => {}) }, { ...server, heartbeatMs: 0 });
    const client = await connectTo(channels, { headers: { cookie: cookieOf(id) } });
    await clock.advance(1_000);
    const calls = store instanceof FaultyStore ? store.calls.splice(0).slice(2) : []; // without those of the site
    return { first: calls, store: store as FaultyStore, id, client, clock, errors };
  }

  it('touches the session every third of its lifetime while a channel is open', async () => {
    const { first, store, client, clock, errors } = await open(3_600_000, { touchWhileOpen: true });
    expect(first).toEqual(['get', 'touch']);
    await clock.advance(1_199_999);
    expect(store.calls).toEqual([]);
    await clock.advance(1);
    expect(store.calls).toEqual(['get', 'touch']);
    await clock.advance(1_200_000);
    expect(store.calls).toHaveLength(4);
    await client.disconnect();
    await clock.advance(10_000_000);
    expect(store.calls).toHaveLength(4);
    expect(clock.pendingTimers).toBe(0);
    expect(errors).toEqual([]);
  });

  it('prolongs what is stored', async () => {
    const store = new FaultyStore();
    const reader = new ExpressSessionReader(sessionMiddleware({ store }), { store, touchWhileOpen: true });
    const id = await stored(store, { userId: 'alice' }, 60_000);
    const cookie = { originalMaxAge: 60_000, expires: new Date(Date.now() + 20_000) };
    await asked((done) => store.set(id, { userId: 'alice', cookie } as never, done));
    await reader.touchMany([id]);
    expect(await endOf(store, id)).toBeGreaterThan(Date.now() + 50_000);
    expect(await held(store, id)).toEqual({ userId: 'alice' });
  });

  it('keeps one alive that has less left when its channel opens than a third of its lifetime', async () => {
    const { options: server, clock } = makeSite();
    const store = new MemoryStore();
    const sessions = new ExpressSessionReader(sessionMiddleware({ store }), { touchWhileOpen: true });
    const id = await stored(store, { userId: 'alice' }, 3_600_000);
    const cookie = { originalMaxAge: 3_600_000, expires: new Date(Date.now() + 60_000) };
    await asked((done) => store.set(id, { userId: 'alice', cookie } as never, done));
    const channels = new ChannelServer({ connect: withHttpSession({ sessions })(() => {}) }, { ...server, heartbeatMs: 0 });
    const client = await connectTo(channels, { headers: { cookie: cookieOf(id) } });
    await clock.advance(1_000);
    expect(await endOf(store, id)).toBeGreaterThan(Date.now() + 3_000_000);
    await client.disconnect();
  });

  it('touches one that ends with the browser every eight hours', async () => {
    const { store, clock, client } = await open(null, { touchWhileOpen: true });
    await clock.advance(8 * 60 * 60 * 1000);
    expect(store.calls).toEqual(['get', 'touch']);
    await client.disconnect();
  });

  it('revives no session that is gone', async () => {
    const { store, id, clock, client } = await open(60_000, { touchWhileOpen: true });
    await asked((done) => store.destroy(id, done));
    store.calls.length = 0;
    await clock.advance(20_000);
    expect(store.calls).toEqual(['get']);
    expect(await held(store, id)).toBeUndefined();
    await client.disconnect();
  });

  it('touches the others where one cannot be, and takes one for gone that ends meanwhile', async () => {
    const store = new FaultyStore();
    const reader = new ExpressSessionReader(sessionMiddleware({ store }), { store });
    const ids = await Promise.all(Array.from({ length: 20 }, () => stored(store, {}, 60_000)));
    const [broken = '', ending = '', ...others] = ids;
    const touched: string[] = [];
    Object.defineProperty(store, 'touch', {
      value(id: string, _session: object, done: (error?: unknown) => void) {
        touched.push(id);
        // as connect-mongo does
        if (id === ending) store.destroy(id, () => done(new Error('Unable to find the session to touch')));
        else done(id === broken ? new Error('broken') : undefined);
      },
    });
    await reader.touchMany([ending, ...others]);
    await expect(reader.touchMany([broken, ...others])).rejects.toThrow('broken');
    expect(touched).toHaveLength(2 * ids.length - 2);
  });

  it('writes the session again where its store cannot touch', async () => {
    const store = new FaultyStore();
    Object.defineProperty(store, 'touch', { value: undefined });
    const { clock, client } = await open(60_000, { touchWhileOpen: true }, store);
    await clock.advance(20_000);
    expect(store.calls).toEqual(['get', 'set']);
    await client.disconnect();
  });

  it('is off unless it is asked for', async () => {
    const { store, clock, client } = await open(60_000, {});
    await clock.advance(10_000_000);
    expect(store.calls).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
    await client.disconnect();
  });
});

describe('a log-out in another tab', () => {
  async function open(revalidate: 'connect' | undefined) {
    const { options, users, clock, errors } = makeSite();
    const store = new MemoryStore();
    const sessions = new ExpressSessionReader(sessionMiddleware({ store }));
    const wrap = withUserFromHttp({ sessions, users });
    const channels = new ChannelServer({ connect: wrap(() => {}), receive: wrap(() => {}) }, { ...options, revalidate, heartbeatMs: 0 });
    const id = await stored(store, { passport: { user: 'alice' } });
    const client = await connectTo(channels, { headers: { cookie: cookieOf(id) } });
    expect(client.user.id).toBe('alice');
    await client.send('a');
    expect(client.closed).toBeUndefined();
    await asked((done) => store.destroy(id, done));
    return { client, clock, errors };
  }

  it('ends the channel at its next message', async () => {
    const { client, errors } = await open('connect');
    await client.send('b');
    expect(client.closed).toEqual({ code: 3000, reason: 'session ended' });
    expect(errors).toEqual([]);
  });

  it('ends the channel at the next sweep', async () => {
    const { client, clock, errors } = await open(undefined);
    await clock.advance(60_000);
    expect(client.closed).toEqual({ code: 3000, reason: 'session ended' });
    expect(errors).toEqual([]);
  });
});
