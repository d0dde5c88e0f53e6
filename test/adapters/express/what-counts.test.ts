import { createServer } from 'node:http';
import { inspect } from 'node:util';
import cookieSession from 'cookie-session';
import express from 'express';
import { MemoryStore, type Store } from 'express-session';
import { ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { type ConnectMiddleware, ExpressSessionReader } from '../../../entries/express.js';
import { type HasHttpSession, type ReceiveMessage, withHttpSession } from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { listen } from '../../support/http-server.js';
import { codeOf, codesOf, expectProcessToLive, makeSite } from '../../support/site.js';
import { asked, cookieOf, held, requestWith, secret, sessionMiddleware, signed, stored } from './express-site.js';

expectProcessToLive();

/** A site where ada has logged in, and a reader of its sessions. */
async function makeSessions(options: Parameters<typeof sessionMiddleware>[0] = {}, cookie?: string) {
  const store: Store = new MemoryStore();
  const reader = new ExpressSessionReader(sessionMiddleware({ store, ...options }), { cookie });
  const id = await stored(store, { userId: 'ada' });
  const userOf = async (header?: string) => (await reader.read(requestWith(header)))?.userId;
  return { store, reader, id, userOf };
}

describe('a session of express-session counts as loaded', () => {
  it.each([
    ['signed with the current secret', secret],
    ['signed with a former secret', 'former'],
  ])('where its id stands %s', async (_, key) => {
    const { userOf, id, reader } = await makeSessions({ secret: [secret, 'former'] });
    expect(await userOf(cookieOf(id, 'connect.sid', key))).toBe('ada');
    expect((await reader.read(requestWith(cookieOf(id, 'connect.sid', key))))?.id).toBe(id);
  });

  it.each(['connect.sid', 'sid', '__Host-app.sid', 'a%20b'])('whatever the cookie is called: %s', async (name) => {
    const { userOf, id } = await makeSessions({ name });
    expect(await userOf(`theme=dark; ${cookieOf(id, name)}; other=1`)).toBe('ada');
    expect(await userOf(cookieOf(id, `${name}x`))).toBeUndefined();
  });

  it('whether its value is percent-encoded or not', async () => {
    const { userOf, id } = await makeSessions();
    expect(await userOf(`connect.sid=${signed(id)}`)).toBe('ada');
    expect(await userOf(`connect.sid=${encodeURIComponent(signed(id))}`)).toBe('ada');
    expect(await userOf(`connect.sid="${encodeURIComponent(signed(id))}"`)).toBe('ada');
    expect(
      await userOf(`connect.sid=${signed(id).replaceAll(/[^\w]/g, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`)}`),
    ).toBe('ada');
  });

  it('of several cookies of the name where the middleware takes that one, which is the first', async () => {
    const { userOf, id, store } = await makeSessions();
    const other = await stored(store, { userId: 'bob' });
    expect(await userOf(`${cookieOf(id)}; connect.sid=garbage`)).toBe('ada');
    expect(await userOf(`${cookieOf(id)}; ${cookieOf(other)}`)).toBe('ada');
    expect(await userOf(`${cookieOf(other)}; ${cookieOf(id)}`)).toBe('bob');
    expect(await userOf(`connect.sid=garbage; ${cookieOf(id)}`)).toBeUndefined();
  });

  it('where Express has run the middleware before', async () => {
    const { store, reader, id } = await makeSessions();
    const request = requestWith(cookieOf(id));
    await new Promise((resolve) => void sessionMiddleware({ store })(request as never, {} as never, resolve));
    expect((await reader.read(request))?.userId).toBe('ada');
  });
});

describe('there is no session', () => {
  it.each([
    ['no cookie', () => undefined],
    ['an empty cookie', () => 'connect.sid='],
    ['a cookie that is none', () => 'connect.sid'],
    ['an unknown id, rightly signed', () => cookieOf('unknown')],
    ['a bad signature', (id: string) => cookieOf(id, 'connect.sid', 'guessed')],
    ['an id without its signature', (id: string) => `connect.sid=${id}`],
    ['an id with an empty signature', (id: string) => `connect.sid=s:${id}.`],
    ['an id signed in a cookie of another name', (id: string) => cookieOf(id, 'other.sid')],
    ['an unknown id, and a known one in a cookie of another name', (id: string) => `${cookieOf('unknown')}; ${cookieOf(id, 'other')}`],
  ])('with %s, and none is made', async (_, cookie) => {
    const { store, userOf, id } = await makeSessions({ saveUninitialized: true, resave: true, rolling: true });
    expect(await userOf(cookie(id))).toBeUndefined();
    expect(Object.keys((store as unknown as { sessions: object }).sessions)).toEqual([id]);
  });

  it('with a forged cookie, though the site makes ids that can be guessed', async () => {
    const { userOf, reader, store } = await makeSessions({ genid: () => 'guessed' });
    const request = requestWith(cookieOf('guessed', 'connect.sid', 'wrong secret'));
    expect(await reader.read(request)).toBeUndefined();
    expect(await reader.read(request)).toBeUndefined();
    expect(await userOf(cookieOf('guessed'))).toBeUndefined();
    await asked((done) => store.set('guessed', { userId: 'eve', cookie: {} } as never, done));
    expect(await userOf(cookieOf('guessed', 'connect.sid', 'wrong secret'))).toBeUndefined();
    expect(await userOf(cookieOf('guessed'))).toBe('eve');
  });

  it('in a cookie of another name than the option says', async () => {
    const { userOf, id } = await makeSessions({ name: 'sid' }, 'app.sid');
    expect(await userOf(cookieOf(id, 'sid'))).toBeUndefined();
  });

  it('where the chain has taken it away', async () => {
    const { store, id } = await makeSessions();
    const logOut: ConnectMiddleware = (request: { session: unknown }, _response, next) => {
      request.session = null;
      next();
    };
    const reader = new ExpressSessionReader([sessionMiddleware({ store }), logOut]);
    expect(await reader.read(requestWith(cookieOf(id)))).toBeUndefined();
  });
});

describe('a chain that gives no session', () => {
  const nothing: ConnectMiddleware = (_request, _response, next) => next();

  it('while the store is disconnected cannot tell whose a session cookie is, and lets others through', async () => {
    const { store, reader, id, userOf } = await makeSessions({ name: 'sid' });
    store.emit('disconnect');
    expect(await codeOf(reader.read(requestWith(cookieOf(id, 'sid'))))).toBe('ERR_LOOKUP_FAILED');
    expect(await userOf()).toBeUndefined();
    expect(await userOf('theme=dark')).toBeUndefined();
    store.emit('connect');
    expect(await userOf(cookieOf(id, 'sid'))).toBe('ada');
  });

  it('since it does not run for this path cannot tell', async () => {
    const { reader, id } = await makeSessions({ cookie: { path: '/app' } });
    expect(await codeOf(reader.read(requestWith(cookieOf(id), '/ws')))).toBe('ERR_LOOKUP_FAILED');
    expect((await reader.read(requestWith(cookieOf(id), '/app/ws')))?.userId).toBe('ada');
  });

  it.each(['connect.sid=anything', 'sid=s%3Aid.signature', 'session=eyJ9; session.sig=abc'])('cannot tell with %s', async (cookie) => {
    expect(await codeOf(new ExpressSessionReader(nothing).read(requestWith(cookie)))).toBe('ERR_LOOKUP_FAILED');
  });

  it('goes by the name of the cookie where that is known', async () => {
    const reader = new ExpressSessionReader(nothing, { cookie: 'sid' });
    expect(await reader.read(requestWith('connect.sid=s:a.b; sid.sig=1'))).toBeUndefined();
    expect(await codeOf(reader.read(requestWith('sid=anything')))).toBe('ERR_LOOKUP_FAILED');
  });
});

describe('cookie-session', () => {
  const keys = ['newest', 'former'];
  const middleware = cookieSession({ name: 'session', keys });

  /** The cookies that cookie-session sets for these values. */
  async function cookiesOf(values: object, key = 'newest'): Promise<string> {
    const app = express();
    app.use(cookieSession({ name: 'session', keys: [key] }));
    app.get('/', (request, response) => {
      request.session = values as never;
      response.end();
    });
    const { port } = await listen(createServer(app));
    const response = await fetch(`http://127.0.0.1:${port}/`);
    return response.headers
      .getSetCookie()
      .map((cookie) => cookie.split(';', 1)[0])
      .join('; ');
  }

  it('has a session where a cookie of its keys came, the former ones included', async () => {
    const reader = new ExpressSessionReader(middleware);
    for (const key of keys) {
      const session = await reader.read(requestWith(await cookiesOf({ userId: 'ada', theme: 'dark' }, key)));
      expect(session).toMatchObject({ id: undefined, userId: 'ada', data: { userId: 'ada', theme: 'dark' } });
    }
  });

  it('has none without a cookie, and with one that is forged', async () => {
    const reader = new ExpressSessionReader(middleware);
    const cookies = await cookiesOf({ userId: 'ada' }, 'unknown key');
    expect(await reader.read(requestWith())).toBeUndefined();
    expect(await reader.read(requestWith(cookies))).toBeUndefined();
    expect(await reader.read(requestWith(cookies.split(';', 1)[0]))).toBeUndefined();
  });

  it.each([
    ['a user', { userId: 'ada', theme: 'dark' }, { id: undefined, userId: 'ada', data: { userId: 'ada', theme: 'dark' } }],
    ['nobody', { theme: 'dark' }, undefined],
    ['nothing', {}, undefined],
  ])('of another kind, which does not say whether it is new, counts where it is of somebody: %s', async (_whose, session, expected) => {
    const other: ConnectMiddleware = (request: object, _response, next) => {
      Object.assign(request, { session: Object.defineProperty({ ...session }, 'save', { value: () => undefined }) });
      next();
    };
    const found = await new ExpressSessionReader(other).read(requestWith('sealed=abc'));
    expect(found && { id: found.id, userId: found.userId, data: found.data }).toEqual(expected);
  });

  it('is seen by later messages as it was at connect, and a handler that changes it ends its channel', async () => {
    const { options, errors } = makeSite();
    const wrap = withHttpSession({ sessions: new ExpressSessionReader(middleware) });
    const seen: unknown[] = [];
    const receive = wrap((message: ReceiveMessage & HasHttpSession) => {
      seen.push(message.httpSession?.data);
      if (message.text === 'change' && message.httpSession !== undefined) message.httpSession.data.theme = 'light';
    });
    const headers = { cookie: await cookiesOf({ theme: 'dark' }) };
    const client = await connectTo({ connect: wrap(() => {}), receive }, { ...options, headers });
    await client.send('a');
    await client.send('b');
    expect(seen).toEqual([{ theme: 'dark' }, { theme: 'dark' }]);
    await client.send('change');
    expect(client.closed).toEqual({ code: 1011, reason: 'internal error' });
    expect(codesOf(errors)).toEqual(['ERR_HTTP_SESSION_READ_ONLY']);
  });

  it('can only be read', async () => {
    const session = await new ExpressSessionReader(middleware).read(requestWith(await cookiesOf({ userId: 'ada' })));
    expect(await codeOf(session?.save())).toBe('ERR_HTTP_SESSION_READ_ONLY');
  });
});

it('the id of a session is shown to nobody', async () => {
  const { reader, id } = await makeSessions();
  const session = await reader.read(requestWith(cookieOf(id)));
  expect(session?.id).toBe(id);
  expect(inspect(session, { depth: 9, showHidden: true }) + JSON.stringify(session)).not.toContain(id);
});

it('the data are copies, without what express-session keeps of the cookie', async () => {
  const { store, reader } = await makeSessions();
  const id = await stored(store, { list: ['a'], nothing: null });
  const session = await reader.read(requestWith(cookieOf(id)));
  expect(session?.data).toEqual({ list: ['a'], nothing: null });
  (session?.data.list as string[] | undefined)?.push('b');
  expect(await held(store, id)).toEqual({ list: ['a'], nothing: null });
});

it('of what the store keeps as objects of classes, the data have what JSON has of them; dates and bytes stay', async () => {
  const id = new ObjectId();
  const at = new Date(0);
  const bytes = new Uint8Array([1, 2]);
  const secret = { toJSON: () => undefined };
  const values = { userId: id, account: { secret, owners: [id, { id }], at, bytes, home: new URL('https://example.com/'), none: null } };
  const store = {
    get: (_id: string, done: (error: unknown, session: object) => void) => done(null, { ...values, cookie: {} }),
    set() {},
    destroy() {},
  };
  const seen: unknown[] = [];
  const userId = (session: Record<string, unknown>) => {
    seen.push(session.userId);
    return undefined;
  };
  const session = await new ExpressSessionReader((_request, _response, next) => next(), { store }).readById('a');
  const text = id.toHexString();
  expect(session?.userId).toBe(text);
  expect(session?.data).toEqual({
    userId: text,
    account: { owners: [text, { id: text }], at, bytes, home: 'https://example.com/', none: null },
  });
  await new ExpressSessionReader((_request, _response, next) => next(), { store, userId }).readById('a');
  expect(seen).toEqual([text]);
});

it('data that hold themselves are copied as they are', async () => {
  const tree: Record<string, unknown> = { name: 'root' };
  tree.children = [{ parent: tree }];
  const store = { get: (_id: string, done: (error: unknown, session: object) => void) => done(null, { tree }), set() {}, destroy() {} };
  const session = await new ExpressSessionReader((_request, _response, next) => next(), { store }).readById('a');
  expect(session?.data).toMatchObject({ tree: { name: 'root', children: [{ parent: { name: 'root' } }] } });
});
