import { describe, expect, it, vi } from 'vitest';
import {
  ChannelServer,
  type ReceiveMessage,
  type SessionScope,
  type SessionStore,
  withChannelUser,
  withUserFromToken,
} from '../../../entries/index.js';
import { connectTo, type TestClient } from '../../../entries/testing.js';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { aliceKey, bobKey, codesOf, expectProcessToLive, makeSite, type Site } from '../../support/site.js';
import { storeWith } from '../../support/store-with.js';

expectProcessToLive();

const ttlMs = 30_000;
const cookies = { key: aliceKey };

interface Op {
  readonly op: 'add' | 'set' | 'reload' | 'fail' | 'read';
  readonly key?: string;
  readonly value?: number;
}

/** A server whose clients say what is to be done to their session. */
function serve(site: Site, store: SessionStore = site.store, scope: SessionScope = 'user'): ChannelServer {
  const receive = withChannelUser(async (message) => {
    const { op, key = 'count', value = 1 } = (message as unknown as ReceiveMessage).json() as Op;
    const { channelSession } = message;
    if (op === 'add') channelSession.update(key, (old) => Number(old ?? 0) + value);
    if (op === 'set') channelSession.set(key, value);
    if (op === 'reload') await channelSession.reload();
    if (op === 'fail') channelSession.update(key, refuseMore);
    if (op === 'read' || op === 'reload') message.channel.sendJson(channelSession);
  });
  const connect = withUserFromToken({ tokens: site.tokens })(() => undefined);
  return new ChannelServer({ connect, receive }, { ...site.options, session: { store, scope, ttlMs } });
}

function refuseMore(old: unknown): number {
  if (old !== undefined) throw new RangeError('there is one already');
  return 1;
}

/** `store` with saves that wait until they are let through. */
function gated(store: SessionStore) {
  const waiting: (() => void)[] = [];
  const gate = async <T>(operation: () => Promise<T>): Promise<T> => {
    const passed = deferred();
    waiting.push(() => passed.resolve());
    await passed.promise;
    return operation();
  };
  const create = vi.fn((...args: Parameters<SessionStore['create']>) => gate(() => store.create(...args)));
  const save = vi.fn((...args: Parameters<SessionStore['save']>) => gate(() => store.save(...args)));
  const load = vi.fn((id: string) => store.load(id));
  /** Lets the next write through, once there is one. */
  const pass = async (): Promise<void> => {
    await eventually(() => expect(waiting.length).toBeGreaterThan(0));
    waiting.shift()?.();
  };
  return { store: storeWith(store, { load, create, save }), create, save, load, pass };
}

const connectAll = (server: ChannelServer, count: number): Promise<TestClient[]> =>
  Promise.all(Array.from({ length: count }, () => connectTo(server, { cookies })));

describe('channels that share a record', () => {
  it('see at once what one of them saved, and read nothing for it', async () => {
    const site = makeSite();
    const [one, other] = (await connectAll(serve(site), 2)) as [TestClient, TestClient];
    const load = vi.spyOn(site.store, 'load');
    await one.sendJson({ op: 'add' });
    await other.sendJson({ op: 'read' });
    expect(other.sentJson).toEqual([{ count: 1 }]);
    await other.sendJson({ op: 'set', key: 'count', value: 7 }); // it has seen the newest, so there is no conflict
    expect(one.channelSession.get('count')).toBe(7);
    expect([load.mock.calls.length, site.errors]).toEqual([0, []]);
  });

  it('share one look at the store where they come together, and have a look of their own where they come later', async () => {
    const site = makeSite();
    const load = vi.spyOn(site.store, 'load');
    const server = serve(site);
    await connectAll(server, 50);
    expect(load.mock.calls.length).toBeLessThanOrEqual(2);
    const elsewhere = await connectTo(serve(site), { cookies });
    await elsewhere.sendJson({ op: 'add' });
    const late = await connectTo(server, { cookies });
    expect(late.channelSession.get('count')).toBe(1);
  });

  it('have what waits saved in one write, in the order in which it came', async () => {
    const site = makeSite();
    const { store, create, save, pass } = gated(site.store);
    const clients = await connectAll(serve(site, store), 5);
    const sent = clients.map((client, index) => client.sendJson({ op: 'add', value: 10 ** index }));
    await pass();
    await pass();
    await Promise.all(sent);
    expect(create.mock.calls.map(([, { data }]) => data)).toEqual([{ count: 1 }]);
    expect(save.mock.calls.map(([, { version, data }]) => [version, data])).toEqual([[2, { count: 11_111 }]]);
  });

  it('have one message fail alone where its update throws on what the others made of the value', async () => {
    const site = makeSite();
    const { store, save, pass } = gated(site.store);
    const [first, second, failing, last] = (await connectAll(serve(site, store), 4)) as [TestClient, TestClient, TestClient, TestClient];
    const sent = [
      first.sendJson({ op: 'set', key: 'a', value: 1 }),
      second.sendJson({ op: 'add' }),
      failing.sendJson({ op: 'fail' }),
      last.sendJson({ op: 'add', key: 'b' }),
    ];
    await pass();
    await pass();
    await Promise.all(sent);
    expect(codesOf(site.errors)).toEqual(['RangeError']);
    expect([first, second, failing, last].map(({ closed }) => closed?.code)).toEqual([undefined, undefined, 1011, undefined]);
    expect(save.mock.calls.map(([, { data }]) => data)).toEqual([{ a: 1, count: 1, b: 1 }]);
  });

  it('write nothing where all that waits fails', async () => {
    const site = makeSite();
    const { store, save, pass } = gated(site.store);
    const [first, ...failing] = (await connectAll(serve(site, store), 3)) as [TestClient, TestClient, TestClient];
    const sent = [first.sendJson({ op: 'add' }), ...failing.map((client) => client.sendJson({ op: 'fail' }))];
    await pass();
    await Promise.all(sent);
    expect(codesOf(site.errors)).toEqual(['RangeError', 'RangeError']);
    expect(save).not.toHaveBeenCalled();
  });

  it('have one message fail alone where it set what a message before it in the same write has changed', async () => {
    const site = makeSite();
    const { store, pass } = gated(site.store);
    const [first, second, third] = (await connectAll(serve(site, store), 3)) as [TestClient, TestClient, TestClient];
    const sent = [
      first.sendJson({ op: 'add', key: 'other' }),
      second.sendJson({ op: 'set', value: 2 }),
      third.sendJson({ op: 'set', value: 3 }),
    ];
    await pass();
    await pass();
    await Promise.all(sent);
    expect(codesOf(site.errors)).toEqual(['ERR_SESSION_CONFLICT']);
    expect([second.closed, third.closed?.code]).toEqual([undefined, 1011]);
    expect(first.channelSession.get('count')).toBe(2);
  });

  it('all fail where the write that they wait for does, and are as they were', async () => {
    const site = makeSite();
    const clients = await connectAll(serve(site), 3);
    await clients[0]?.sendJson({ op: 'add' });
    const broken = vi.spyOn(site.store, 'save').mockRejectedValue(new Error('disk full'));
    await Promise.all(clients.slice(1).map((client) => client.sendJson({ op: 'add' })));
    expect(codesOf(site.errors)).toEqual(['ERR_SESSION_SAVE_FAILED', 'ERR_SESSION_SAVE_FAILED']);
    broken.mockRestore();
    await clients[0]?.sendJson({ op: 'add' });
    expect(clients[0]?.channelSession.get('count')).toBe(2);
  });

  it('are touched once, whatever their number', async () => {
    const site = makeSite();
    const clients = await connectAll(serve(site), 20);
    await clients[0]?.sendJson({ op: 'add' });
    const touchMany = vi.spyOn(site.store, 'touchMany');
    await site.clock.advance(ttlMs / 3);
    expect(touchMany.mock.calls.map(([ids]) => ids.length)).toEqual([1]);
  });

  it('keep it as long as one of them is left: then it is touched no more, and read anew by whoever comes', async () => {
    const site = makeSite();
    const server = serve(site);
    const [one, other] = (await connectAll(server, 2)) as [TestClient, TestClient];
    await one.sendJson({ op: 'add' });
    await one.disconnect();
    await site.clock.advance(ttlMs * 2);
    await other.sendJson({ op: 'add' });
    expect(other.channelSession.get('count')).toBe(2);
    await other.disconnect();
    expect(site.clock.pendingTimers).toBe(0);
    await site.clock.advance(ttlMs);
    const [late] = (await connectAll(server, 1)) as [TestClient];
    expect(late.channelSession.has('count')).toBe(false);
  });

  it('are those of one user or credential, and nobody else’s', async () => {
    const site = makeSite();
    const server = serve(site);
    const mine = await connectTo(server, { cookies });
    const theirs = await connectTo(server, { cookies: { key: bobKey } });
    await mine.sendJson({ op: 'add' });
    expect(theirs.channelSession.has('count')).toBe(false);
  });
});

describe('a shared record that was destroyed elsewhere', () => {
  async function destroyed() {
    const site = makeSite();
    const create = vi.spyOn(site.store, 'create');
    const server = serve(site);
    const [one, other] = (await connectAll(server, 2)) as [TestClient, TestClient];
    await one.sendJson({ op: 'add' });
    const id = create.mock.calls[0]?.[0] as string;
    await site.store.destroy(id);
    return { site, server, one, other, id };
  }

  it('is gone for all of them, and stays so', async () => {
    const { site, one, other } = await destroyed();
    await one.sendJson({ op: 'add' });
    await other.sendJson({ op: 'read' });
    expect(other.sentJson).toEqual([{}]);
    await other.sendJson({ op: 'add' });
    expect(codesOf(site.errors)).toEqual(['ERR_SESSION_GONE', 'ERR_SESSION_GONE']);
    expect(site.store.size).toBe(0);
  });

  it('is not that of a channel that comes afterwards, which has a new one', async () => {
    const { site, server, one, other } = await destroyed();
    const late = await connectTo(server, { cookies });
    await late.sendJson({ op: 'set', key: 'fresh', value: 1 });
    await one.sendJson({ op: 'add' });
    await other.sendJson({ op: 'reload' });
    expect(other.sentJson).toEqual([{}]);
    await other.sendJson({ op: 'set', key: 'stale', value: 1 });
    expect(codesOf(site.errors)).toEqual(['ERR_SESSION_GONE', 'ERR_SESSION_GONE']);
    expect(JSON.stringify(late.channelSession)).toBe('{"fresh":1}');
    const later = await connectTo(server, { cookies });
    await later.sendJson({ op: 'add' });
    expect(JSON.stringify(late.channelSession)).toBe('{"fresh":1,"count":1}');
  });

  it('is not brought back by a message that reloads first', async () => {
    const { site, one } = await destroyed();
    await one.sendJson({ op: 'reload' });
    await one.sendJson({ op: 'add' });
    expect(codesOf(site.errors)).toEqual(['ERR_SESSION_GONE']);
    expect(site.store.size).toBe(0);
  });

  it('is not written into where another was made in its place with as many versions', async () => {
    const { site, one, id } = await destroyed();
    await site.clock.advance(1);
    const elsewhere = await connectTo(serve(site), { cookies });
    await elsewhere.sendJson({ op: 'set', key: 'fresh', value: 1 });
    // a store that compares versions alone speaks of a conflict once there is one version more
    await elsewhere.sendJson({ op: 'set', key: 'fresh', value: 2 });
    await one.sendJson({ op: 'add' });
    expect(codesOf(site.errors)).toEqual(['ERR_SESSION_GONE']);
    expect((await site.store.load(id))?.data).toEqual({ fresh: 2 });
  });
});
