import type { IncomingMessage, ServerResponse } from 'node:http';
import express from 'express';
import session, { MemoryStore } from 'express-session';
import { Passport } from 'passport';
import { describe, expect, it, vi } from 'vitest';
import { type ConnectMiddleware, ExpressSessionReader } from '../../../entries/express.js';
import { TestClock } from '../../../entries/testing.js';
import { codeOf, codesOf, expectProcessToLive, thrownBy } from '../../support/site.js';
import { cookieOf, requestWith, sessionMiddleware, stored } from './express-site.js';
import { FaultyStore } from './faulty-store.js';

expectProcessToLive();

type Next = (error?: unknown) => void;
const goOn: ConnectMiddleware = (_request, _response, next) => next();

/** A site where ada has logged in, and whose chain goes on with `others` behind express-session. */
async function makeChain(others: readonly ConnectMiddleware[], options: Parameters<typeof sessionMiddleware>[0] = {}) {
  const store = new FaultyStore();
  const clock = new TestClock();
  const id = await stored(store, { userId: 'ada' });
  store.calls.length = 0;
  const reader = new ExpressSessionReader([sessionMiddleware({ store, ...options }), ...others], { clock, timeoutMs: 100 });
  const request = requestWith(cookieOf(id));
  const read = async () => (await reader.read(request))?.userId;
  return { store, clock, id, reader, request, read };
}

/** The error that a promise rejects with. */
async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('middleware', () => {
  it.each<[string, ConnectMiddleware]>([
    ['hands an error to next', (_request, _response, next: Next) => next(new Error('no'))],
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('no');
      },
    ],
    [
      'rejects after it has gone on',
      async (_request, _response, next: Next) => {
        setImmediate(next);
        throw new Error('no');
      },
    ],
  ])('that %s means that nobody can tell', async (_, middleware) => {
    const { read } = await makeChain([middleware, goOn]);
    expect(await errorOf(read())).toMatchObject({ message: 'no' });
  });

  it('that never goes on is given up, and goes no further when it does', async () => {
    let release: Next = () => {};
    const reached = vi.fn<ConnectMiddleware>((_request, _response, next) => next());
    const hang: ConnectMiddleware = (_request, _response, next) => {
      release = next;
    };
    const { read, clock } = await makeChain([hang, reached]);
    const reading = errorOf(read());
    await clock.advance(100);
    expect(codesOf([await reading])).toEqual(['ERR_LOOKUP_TIMEOUT']);
    release();
    expect(reached).not.toHaveBeenCalled();
    expect(clock.pendingTimers).toBe(0);
  });

  it('that goes on twice goes on once', async () => {
    const reached = vi.fn<ConnectMiddleware>((_request, _response, next) => next());
    const { read } = await makeChain([
      (_request, _response, next: Next) => {
        next();
        next(new Error('too late'));
      },
      reached,
    ]);
    expect(await read()).toBe('ada');
    expect(reached).toHaveBeenCalledTimes(1);
  });

  it.each(['route', 'router'])("that calls next('%s') ends the chain, and what was found counts", async (where) => {
    const reached = vi.fn<ConnectMiddleware>();
    const { read } = await makeChain([(_request, _response, next: Next) => next(where), reached]);
    expect(await read()).toBe('ada');
    expect(reached).not.toHaveBeenCalled();
  });

  it.each([
    [401, (response: ServerResponse) => response.writeHead(401).end('log in')],
    [403, (response: ServerResponse) => Object.assign(response, { statusCode: 403 }).end()],
    [302, (response: ServerResponse) => response.writeHead(302, { location: '/login' }).end()],
  ])('that answers %i by itself leaves the request without a session', async (_, answer) => {
    const { read, store } = await makeChain([(_request, response: ServerResponse) => answer(response)]);
    expect(await read()).toBeUndefined();
    expect(store.calls).toEqual(['get']);
  });

  it('that refuses since the store is disconnected means that nobody can tell', async () => {
    const guard: ConnectMiddleware = (request: { session?: unknown }, response: ServerResponse, next: Next) => {
      if (request.session === undefined) response.writeHead(401).end();
      else next();
    };
    const { read, store, reader } = await makeChain([guard]);
    store.emit('disconnect');
    expect(await codeOf(read())).toBe('ERR_LOOKUP_FAILED');
    expect(await reader.read(requestWith())).toBeUndefined();
  });

  it.each([200, 404, 429, 500, 503])('that answers %i by itself means that nobody can tell', async (status) => {
    const { read } = await makeChain([(_request, response: ServerResponse) => Object.assign(response, { statusCode: status }).end('no')]);
    expect(await codeOf(read())).toBe('ERR_LOOKUP_FAILED');
  });

  it('of an Express application works, with the methods of its responses', async () => {
    const store = new MemoryStore();
    const id = await stored(store, { userId: 'ada' });
    const app = express();
    app.use(sessionMiddleware({ store }));
    app.use('/private', (_request, response) => void response.status(401).json({ error: 'log in' }));
    const reader = new ExpressSessionReader(app);
    expect((await reader.read(requestWith(cookieOf(id))))?.userId).toBe('ada');
    expect(await reader.read(requestWith(cookieOf(id), '/private/ws'))).toBeUndefined();
  });

  it('is run once for a request, however often it is read at a time', async () => {
    const { reader, store, request } = await makeChain([]);
    const read = await Promise.all([reader.read(request), reader.read(request)]);
    expect(read.map((each) => each?.userId)).toEqual(['ada', 'ada']);
    expect(read[0]).not.toBe(read[1]);
    expect(store.calls).toEqual(['get']);
  });
});

describe('the end of the handshake', () => {
  it('sends nothing, sets no cookie, and neither saves nor touches a session', async () => {
    let response: ServerResponse | undefined;
    const change: ConnectMiddleware = (request: { session: { visits?: number } }, given: ServerResponse, next) => {
      response = given;
      request.session.visits = 1;
      given.setHeader('x-seen', '1');
      next();
    };
    const { read, store, reader } = await makeChain([change], { saveUninitialized: true, resave: true, rolling: true });
    expect(await read()).toBe('ada');
    expect(await reader.read(requestWith())).toBeUndefined();
    response?.write('more');
    response?.end('all');
    await new Promise((resolve) => setImmediate(resolve));
    expect(store.calls).toEqual(['get']);
    expect(response?.headersSent).toBe(false);
    expect(response?.getHeader('set-cookie')).toBeUndefined();
  });

  it('leaves on the request what express-session would, and nothing else', async () => {
    const { read, request, id, store } = await makeChain([]);
    const before = Reflect.ownKeys(request);
    await read();
    const ours = Reflect.ownKeys(request).filter((key) => !before.includes(key));
    const plain: IncomingMessage = requestWith(cookieOf(id));
    await new Promise<void>(
      (resolve) =>
        void session({ secret: 'keyboard cat', resave: false, saveUninitialized: false, store })(
          plain as never,
          { end() {} } as never,
          () => resolve(),
        ),
    );
    expect(new Set(ours)).toEqual(new Set(Reflect.ownKeys(plain).filter((key) => !before.includes(key))));
    expect(Object.getOwnPropertyDescriptor(request, 'sessionID')).toEqual(Object.getOwnPropertyDescriptor(plain, 'sessionID'));
  });
});

describe('a store', () => {
  it('that answers twice counts once', async () => {
    const { read, store } = await makeChain([goOn]);
    store.fault = 'answers twice';
    expect(await read()).toBe('ada');
  });

  it('that rejects, as one of async functions does, means that nobody can tell', async () => {
    const store = { get: async () => Promise.reject(new Error('no')), set() {}, destroy() {} };
    expect(await errorOf(new ExpressSessionReader(goOn, { store }).readById('a'))).toMatchObject({ message: 'no' });
  });

  it('that says ENOENT has no such session', async () => {
    const store = { get: (_id: string, done: Next) => done(Object.assign(new Error('no'), { code: 'ENOENT' })), set() {}, destroy() {} };
    expect(await new ExpressSessionReader(goOn, { store }).readById('a')).toBeUndefined();
  });

  it.each(['text', 7, true])('that gives %j for a session means that nobody can tell', async (found) => {
    const store = {
      get: (_id: string, done: (error: unknown, found: never) => void) => done(null, found as never),
      set() {},
      destroy() {},
    };
    expect(await errorOf(new ExpressSessionReader(goOn, { store }).readById('a'))).toBeInstanceOf(TypeError);
  });

  it('is known from the first handshake on, and before it from the option', async () => {
    const { reader, store, id, clock } = await makeChain([]);
    expect(await codeOf(reader.readById(id))).toBe('ERR_DEPENDENCY_MISSING');
    expect(await errorOf(reader.touchMany([7 as never]))).toBeInstanceOf(TypeError);
    await reader.read(requestWith());
    expect((await reader.readById(id))?.userId).toBe('ada');
    expect((await new ExpressSessionReader(goOn, { store, clock }).readById(id))?.userId).toBe('ada');
  });

  it('is asked for many sessions eight at a time, and for each once, and for no more where it fails at all', async () => {
    const { reader, store } = await makeChain([]);
    await reader.read(requestWith());
    const ids = await Promise.all(Array.from({ length: 30 }, (_, index) => stored(store, { userId: index })));
    store.calls.length = 0;
    store.mostInFlight = 0;
    const found = await reader.readByIds([...ids, ...ids, 'unknown']);
    expect([...found.values()].map(({ userId }) => userId)).toEqual(ids.map((_, index) => String(index)));
    expect(store.calls).toHaveLength(31);
    expect(store.mostInFlight).toBe(8);
    store.fault = 'down';
    store.calls.length = 0;
    expect(await errorOf(reader.readByIds(ids))).toBeInstanceOf(Error);
    expect(store.calls.length).toBeLessThanOrEqual(16);
  });

  it.each<[string, (done: (error: unknown, found?: never) => void) => void]>([
    ['fails', (done) => done(new SyntaxError('a record that is no JSON'))],
    ['gives what is no object', (done) => done(null, 'text' as never)],
  ])('that %s for one session leaves the others readable', async (_what, answer) => {
    const memory = new MemoryStore();
    const ids = await Promise.all(Array.from({ length: 30 }, (_, index) => stored(memory, { userId: `u${index}` })));
    const [bad = ''] = ids;
    const store = {
      get: (id: string, done: (error: unknown, found?: never) => void) => (id === bad ? answer(done) : memory.get(id, done as never)),
      set() {},
      destroy() {},
    };
    const found = await new ExpressSessionReader(goOn, { store }).readByIds(ids);
    expect(ids.slice(1).map((id) => found.get(id)?.userId)).toEqual(ids.slice(1).map((_, index) => `u${index + 1}`));
    expect(() => found.get(bad)?.userId).toThrow();
  });

  it('that is slow is asked for as long as one call may take, and leaves readable what it has answered by then', async () => {
    const memory = new MemoryStore();
    const clock = new TestClock();
    const ids = await Promise.all(Array.from({ length: 40 }, (_, index) => stored(memory, { userId: `u${index}` })));
    let asked = 0;
    const store = {
      get(id: string, done: (error: unknown, found?: never) => void) {
        asked += 1;
        clock.setTimer(() => memory.get(id, done as never), 40);
      },
      set() {},
      destroy() {},
    };
    const reading = new ExpressSessionReader(goOn, { store, clock, timeoutMs: 100 }).readByIds(ids);
    await clock.advance(100);
    const found = await reading;
    expect(ids.slice(0, 16).map((id) => found.get(id)?.userId)).toEqual(Array.from({ length: 16 }, (_, index) => `u${index}`));
    for (const id of ids.slice(16)) expect(() => found.get(id)?.userId).toThrow('24 of 40');
    await clock.advance(1_000);
    expect([asked, found.size]).toEqual([24, 40]);
    expect(() => found.get(ids[16] ?? '')?.userId).toThrow();
  });

  it('fails for one whose user cannot be told, and for that one only', async () => {
    const store = new MemoryStore();
    const reader = new ExpressSessionReader(() => undefined, { store });
    const [good, bad, nobody] = [
      await stored(store, { userId: 'ada' }),
      await stored(store, { userId: { of: 'ada' } }),
      await stored(store, {}),
    ];
    const found = await reader.readByIds([good, bad, nobody, 'unknown']);
    expect([found.get(good)?.userId, found.get(nobody)?.userId, found.size]).toEqual(['ada', undefined, 3]);
    expect(() => found.get(bad)?.userId).toThrow(TypeError);
    expect(await errorOf(reader.readByIds([bad]))).toBeInstanceOf(TypeError);
  });
});

describe('passport', () => {
  const passport = new Passport();
  passport.serializeUser((user, done) => done(null, (user as { id: string }).id));
  passport.deserializeUser((id, done) => {
    if (id === 'broken') done(new Error('the users cannot be read'));
    else done(null, id === 'deleted' ? false : { id });
  });
  const chain = (store: MemoryStore) => [sessionMiddleware({ store }), passport.initialize(), passport.session()];

  it('says whose session it is, and puts the user on the request', async () => {
    const store = new MemoryStore();
    const request = requestWith(cookieOf(await stored(store, { passport: { user: 'ada' } })));
    expect((await new ExpressSessionReader(chain(store)).read(request))?.userId).toBe('ada');
    expect(request).toMatchObject({ user: { id: 'ada' } });
    expect((request as unknown as { isAuthenticated(): boolean }).isAuthenticated()).toBe(true);
  });

  it('whose user is gone makes the session nobody’s, and nothing is written', async () => {
    const store = new FaultyStore();
    const id = await stored(store, { passport: { user: 'deleted' } });
    store.calls.length = 0;
    const found = await new ExpressSessionReader(chain(store)).read(requestWith(cookieOf(id)));
    expect(found).toMatchObject({ id, userId: undefined });
    expect(store.calls).toEqual(['get']);
  });

  it('that cannot read its users means that nobody can tell', async () => {
    const store = new MemoryStore();
    const id = await stored(store, { passport: { user: 'broken' } });
    expect(await errorOf(new ExpressSessionReader(chain(store)).read(requestWith(cookieOf(id))))).toBeInstanceOf(Error);
  });
});

describe('whose session it is', () => {
  const userOf = async (values: object, userId?: (session: Record<string, unknown>) => never) => {
    const store = new MemoryStore();
    const reader = new ExpressSessionReader(sessionMiddleware({ store }), { userId });
    return (await reader.read(requestWith(cookieOf(await stored(store, values)))))?.userId;
  };

  it.each([
    [{ passport: { user: 'ada' }, userId: 'bob' }, 'ada'],
    [{ passport: {}, userId: 'bob' }, 'bob'],
    [{ passport: 'x', userId: 'bob' }, 'bob'],
    [{ passport: { user: 0 } }, '0'],
    [{ userId: 7 }, '7'],
    [{ userId: '' }, undefined],
    [{ userId: null }, undefined],
    [{ userId: false }, undefined],
    [{}, undefined],
  ])('%j is the session of %j', async (values, expected) => {
    expect(await userOf(values)).toBe(expected);
  });

  it.each([[{ passport: { user: { id: 1 } } }], [{ userId: ['ada'] }], [{ userId: 1.5 }], [{ userId: true }], [{ userId: 2 ** 53 }]])(
    '%j is a TypeError',
    async (values) => {
      expect(await errorOf(userOf(values))).toBeInstanceOf(TypeError);
    },
  );

  it('is what the option says, which cannot change the session', async () => {
    const account = (values: Record<string, unknown>) => {
      values.theme = 'light';
      return (values.account as { id: number }).id as never;
    };
    expect(await userOf({ account: { id: 7 }, userId: 'bob' }, account)).toBe('7');
    expect(await errorOf(userOf({ account: { id: {} } }, account))).toBeInstanceOf(TypeError);
    expect(await errorOf(userOf({}, account))).toBeInstanceOf(TypeError);
  });

  it('may be said of a type of sessions', async () => {
    interface Values {
      account?: { id: number };
    }
    const store = new MemoryStore();
    const id = await stored(store, { account: { id: 7 } });
    const reader = new ExpressSessionReader(sessionMiddleware({ store }), { userId: (values: Values) => values.account?.id });
    expect((await reader.read(requestWith(cookieOf(id))))?.userId).toBe('7');
  });
});

it.each([
  ['no middleware', () => new ExpressSessionReader(undefined as never)],
  ['an empty chain', () => new ExpressSessionReader([])],
  ['what is no function', () => new ExpressSessionReader([goOn, {} as never])],
  ['an error handler', () => new ExpressSessionReader(((_error: never, _request: never, _response: never, _next: never) => {}) as never)],
  ['an unknown option', () => new ExpressSessionReader(goOn, { cookies: 'sid' } as never)],
  ['an empty name of a cookie', () => new ExpressSessionReader(goOn, { cookie: '' })],
  ['a store without set', () => new ExpressSessionReader(goOn, { store: { get() {}, destroy() {} } as never })],
  ['a time that is none', () => new ExpressSessionReader(goOn, { timeoutMs: 0 })],
  ['a userId that is no function', () => new ExpressSessionReader(goOn, { userId: 'id' as never })],
])('a reader is not made of %s', (_, make) => {
  expect(thrownBy(make)).toBeInstanceOf(TypeError);
});
