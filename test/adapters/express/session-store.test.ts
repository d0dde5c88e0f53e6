import { MemoryStore, type Store } from 'express-session';
import { describe, expect, it, vi } from 'vitest';
import { ExpressSessionStore } from '../../../entries/express.js';
import { type BaseMessage, type HasChannelSession, withChannelSession, withUserFromToken } from '../../../entries/index.js';
import { connectTo, TestClock } from '../../../entries/testing.js';
import type { StoredSession } from '../../../src/contracts/session-store.js';
import { aliceKey, codeOf, codesOf, expectProcessToLive, makeSite, thrownBy } from '../../support/site.js';
import { asked, held, stored } from './express-site.js';
import { FaultyStore } from './faulty-store.js';

expectProcessToLive();
const hourMs = 3_600_000;

function session(data: StoredSession['data'] = {}, version = 1): StoredSession {
  return { version, data, createdAt: new Date(1_750_000_000_000), expiresAt: new Date(Date.now() + hourMs) };
}

/** Another process's view of the same sessions: whoever waits for a turn here knows nothing of there. */
function elsewhere(store: Store): Store {
  return Object.create(store) as Store;
}

describe('a record', () => {
  it('stands in the store beside HTTP sessions, under a prefix, as text in a session', async () => {
    const store = new MemoryStore();
    await new ExpressSessionStore(store).create('a', session({ 'a.b': 1, $set: 2 }));
    await new ExpressSessionStore(store, { prefix: '' }).create('a', session());
    expect(await held(store, 'a')).toBeDefined();
    const found = (await held(store, 'channel:a')) as { channelSession: string };
    expect(JSON.parse(found.channelSession)).toMatchObject({ format: 1, version: 1, data: { 'a.b': 1, $set: 2 } });
  });

  it('has a cookie that lives as long as it does, for stores that go by that', async () => {
    vi.spyOn(Date, 'now').mockReturnValue(1_800_000_000_000);
    const store = new MemoryStore();
    await new ExpressSessionStore(store).create('a', session());
    const { sessions } = store as unknown as { readonly sessions: Record<string, string> };
    const { cookie } = JSON.parse(sessions['channel:a'] as string) as { readonly cookie: object };
    expect(cookie).toEqual({
      path: '/',
      httpOnly: true,
      originalMaxAge: hourMs,
      expires: new Date(1_800_000_000_000 + hourMs).toISOString(),
    });
  });

  it.each([
    ['no text', { channelSession: {} }],
    ['text that is no JSON', { channelSession: '{' }],
    ['JSON that is no object', { channelSession: 'null' }],
    ['another format', { channelSession: '{"format":2,"version":1,"data":{},"createdAt":0,"expiresAt":9e15}' }],
    ['a version that is none', { channelSession: '{"format":1,"version":0,"data":{},"createdAt":0,"expiresAt":9e15}' }],
    ['data that are a list', { channelSession: '{"format":1,"version":1,"data":[],"createdAt":0,"expiresAt":9e15}' }],
    ['an invalid date', { channelSession: '{"format":1,"version":1,"data":{},"createdAt":9e99,"expiresAt":0}' }],
    ['the session of a person', { userId: 'ada' }],
  ])('that holds %s is handed to the core, which can tell, is gone for everybody else, and is replaced', async (_, values) => {
    const inner = new MemoryStore();
    const id = await stored(inner, values);
    const store = new ExpressSessionStore(inner, { prefix: '' });
    expect((await store.load(id))?.version).toBeNaN();
    expect(await codeOf(store.save(id, session({}, 2), 1))).toBe('ERR_SESSION_GONE');
    await store.touch(id, new Date(Date.now() + hourMs));
    await store.create(id, session({ new: true }));
    expect((await store.load(id))?.data).toEqual({ new: true });
  });
});

it('what nobody can read is reported once, treated as absent, and replaced by the next change', async () => {
  const site = makeSite();
  const inner = new MemoryStore();
  const { sessions } = inner as unknown as { readonly sessions: Record<string, string> };
  const count = withUserFromToken({ tokens: site.tokens })((message: BaseMessage & HasChannelSession) =>
    message.channelSession.update('count', (value) => Number(value ?? 0) + 1),
  );
  const connect = () =>
    connectTo(
      { connect: count },
      { ...site.options, session: { store: new ExpressSessionStore(inner), scope: 'client' }, cookies: { key: aliceKey } },
    );
  await (await connect()).disconnect();
  const [key] = Object.keys(sessions) as [string];
  await asked((done) => inner.set(key, { cookie: {}, channelSession: '{' } as never, done));
  const client = await connect();
  expect(codesOf(site.errors)).toEqual(['ERR_SESSION_CORRUPT']);
  expect(client.channelSession.get('count')).toBe(1);
});

describe('between processes', () => {
  /** Two processes with a record of version 1, the first of which is held up between reading and writing. */
  async function makeRace() {
    const inner = new MemoryStore();
    const here = new ExpressSessionStore(inner);
    const there = new ExpressSessionStore(elsewhere(inner));
    await here.create('a', session({ count: 0 }));
    /** Does `between` once the first has read and is about to write. */
    const inBetween = (between: () => Promise<unknown>): void => {
      const { set } = inner;
      Object.defineProperty(inner, 'set', {
        configurable: true,
        value: (...given: Parameters<typeof set>) => {
          Object.defineProperty(inner, 'set', { configurable: true, value: set });
          void between().then(() => set.apply(inner, given));
        },
      });
    };
    return { inner, here, there, inBetween };
  }

  it('a save that was read before another one overwrites that', async () => {
    const { here, there, inBetween } = await makeRace();
    inBetween(() => there.save('a', session({ count: 1, by: 'there' }, 2), 1));
    await here.save('a', session({ count: 1, by: 'here' }, 2), 1);
    expect((await there.load('a'))?.data).toEqual({ count: 1, by: 'here' });
  });

  it('a save that was read before a destroy brings the record back', async () => {
    const { here, there, inBetween } = await makeRace();
    inBetween(() => there.destroy('a'));
    await here.save('a', session({ by: 'here' }, 2), 1);
    expect((await there.load('a'))?.data).toEqual({ by: 'here' });
  });

  it('a save one after the other is compare-and-set, and a touch overwrites nothing', async () => {
    const { here, there } = await makeRace();
    await here.save('a', session({ by: 'here' }, 2), 1);
    expect(await codeOf(there.save('a', session({ by: 'there' }, 2), 1))).toBe('ERR_SESSION_CONFLICT');
    await there.touch('a', new Date(Date.now() + 2 * hourMs));
    expect((await here.load('a'))?.data).toEqual({ by: 'here' });
  });
});

describe('a store that fails', () => {
  it.each(['down', 'throws'] as const)('and is %s, is a rejection of every method', async (fault) => {
    const inner = new FaultyStore();
    const store = new ExpressSessionStore(inner);
    await store.create('a', session());
    inner.fault = fault;
    const calls = [
      store.load('a'),
      store.create('b', session()),
      store.save('a', session({}, 2), 1),
      store.touch('a', new Date()),
      store.destroy('a'),
    ];
    expect(await Promise.all(calls.map(codeOf))).toEqual(Array(5).fill('Error'));
  });

  it('and does not answer is given up, and holds up nobody who comes later', async () => {
    const clock = new TestClock();
    const inner = new FaultyStore();
    const store = new ExpressSessionStore(inner, { clock, timeoutMs: 50 });
    expect(store.timeoutMs).toBe(50);
    await store.create('a', session());
    inner.fault = 'hangs';
    const saving = codeOf(store.save('a', session({ n: 1 }, 2), 1));
    await clock.advance(50);
    expect(await saving).toBe('Error');
    inner.answer();
    await store.save('a', session({ n: 2 }, 2), 1);
    expect((await store.load('a'))?.data).toEqual({ n: 2 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('and answers twice counts once', async () => {
    const inner = new FaultyStore();
    inner.fault = 'answers twice';
    const store = new ExpressSessionStore(inner);
    await store.create('a', session());
    await store.save('a', session({ n: 1 }, 2), 1);
    expect((await store.load('a'))?.version).toBe(2);
  });
});

it('channels keep their sessions in it', async () => {
  const { errors, options } = makeSite();
  const inner = new MemoryStore();
  const store = new ExpressSessionStore(inner);
  const receive = withChannelSession({ store })((message) => {
    message.channelSession.update('count', (count) => Number(count ?? 0) + 1);
  });
  const client = await connectTo({ receive }, { ...options, clock: new TestClock(Date.now()) });
  await client.send('a');
  await client.send('b');
  const kept = await asked<Record<string, { channelSession: string }>>((done) => inner.all(done as never));
  expect(Object.values(kept ?? {}).map(({ channelSession }) => JSON.parse(channelSession).data)).toEqual([{ count: 2 }]);
  await client.disconnect();
  expect(await asked((done) => inner.length(done as never))).toBe(0);
  expect(errors).toEqual([]);
});

it.each([
  ['no store', () => new ExpressSessionStore(undefined as never)],
  ['a store without destroy', () => new ExpressSessionStore({ get() {}, set() {} } as never)],
  ['a prefix that is no string', () => new ExpressSessionStore(new MemoryStore(), { prefix: 7 as never })],
  ['an unknown option', () => new ExpressSessionStore(new MemoryStore(), { ttlMs: 7 } as never)],
])('a store is not made of %s', (_, make) => {
  expect(thrownBy(make)).toBeInstanceOf(TypeError);
});
