import { describe, expect, it, vi } from 'vitest';
import { ChannelServer, type SessionStore, withChannelSession, withUserFromToken } from '../../../entries/index.js';
import { MemorySessionStore } from '../../../entries/memory.js';
import { connectTo, TestClock } from '../../../entries/testing.js';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { RawClient } from '../../support/raw-client.js';
import { serve as inNetwork, oneToken } from '../../support/serving.js';
import { codesOf, expectProcessToLive } from '../../support/site.js';

expectProcessToLive();
const ttlMs = 30_000;

function serve(patch: Partial<Record<keyof SessionStore, unknown>> = {}) {
  const clock = new TestClock();
  const memory = new MemorySessionStore({ clock });
  const store = Object.assign(memory as SessionStore, patch);
  const errors: unknown[] = [];
  const receive = withChannelSession((message) => message.channelSession.update('n', (n) => Number(n ?? 0) + 1));
  const server = new ChannelServer({ receive }, { clock, session: { store, ttlMs }, onError: (error) => void errors.push(error) });
  return { clock, memory, store, errors, server };
}

describe('the records of live channels', () => {
  it('are touched every third of ttlMs, so that a record outlives its silent channel', async () => {
    const { clock, memory, server } = serve();
    const client = await connectTo(server);
    await client.send('x');
    await clock.advance(ttlMs * 20);
    await client.send('x');
    expect(client.closed).toBeUndefined();
    expect(client.channelSession.get('n')).toBe(2);
    expect(memory.size).toBe(1);
  });

  it('are touched in one batch', async () => {
    const { clock, memory, server } = serve();
    const touchMany = vi.spyOn(memory, 'touchMany');
    for (let index = 0; index < 5; index += 1) await (await connectTo(server)).send('x');
    await clock.advance(ttlMs / 3);
    expect(touchMany).toHaveBeenCalledTimes(1);
    expect(touchMany.mock.calls[0]?.[0]).toHaveLength(5);
    expect(touchMany.mock.calls[0]?.[1]).toEqual(new Date(clock.now() + ttlMs));
  });

  it('are touched one by one where the store has no touchMany', async () => {
    const { clock, memory, server } = serve({ touchMany: undefined });
    const touch = vi.spyOn(memory, 'touch');
    for (let index = 0; index < 70; index += 1) await (await connectTo(server)).send('x');
    await clock.advance(ttlMs / 3);
    expect(new Set(touch.mock.calls.map(([id]) => id)).size).toBe(70);
  });

  it.each<[string, () => Promise<void>]>([
    [
      'fails at',
      () => {
        throw new Error('of this one');
      },
    ],
    ['never answers for', () => new Promise(() => {})],
  ])('are touched one by one, though the store %s some of them again and again', async (_what, fail) => {
    const { clock, memory, errors, server } = serve({ touchMany: undefined });
    const broken = new Set<string>();
    const clients = [];
    for (let index = 0; index < 70; index += 1) clients.push(await connectTo(server));
    const create = vi.spyOn(memory, 'create');
    for (const client of clients) await client.send('x');
    for (const [id] of create.mock.calls.slice(0, 2)) broken.add(id);
    const { touch } = memory;
    vi.spyOn(memory, 'touch').mockImplementation((id, expiresAt) => {
      return broken.has(id) ? fail() : touch.call(memory, id, expiresAt);
    });
    await clock.advance(ttlMs * 2);
    const live = await Promise.all(create.mock.calls.map(([id]) => memory.load(id)));
    expect(live.filter((record) => record !== undefined)).toHaveLength(68);
    expect(new Set(codesOf(errors))).toEqual(new Set(['ERR_SESSION_SAVE_FAILED']));
  });

  it('are not touched on where the store fails at all that it is asked for', async () => {
    const { clock, memory, errors, server } = serve({ touchMany: undefined });
    for (let index = 0; index < 70; index += 1) await (await connectTo(server)).send('x');
    const touch = vi.spyOn(memory, 'touch').mockRejectedValue(new Error('down'));
    await clock.advance(ttlMs / 3);
    expect(touch).toHaveBeenCalledTimes(32);
    expect(codesOf(errors)).toEqual(['ERR_SESSION_SAVE_FAILED']);
  });

  it('are touched at most once per interval, and not where a save did as much', async () => {
    const { clock, memory, server } = serve();
    const touchMany = vi.spyOn(memory, 'touchMany');
    const client = await connectTo(server);
    await client.send('x');
    await clock.advance(ttlMs / 3 - 1);
    await client.send('x');
    await clock.advance(1);
    expect(touchMany).not.toHaveBeenCalled();
    await clock.advance(ttlMs / 3);
    expect(touchMany).toHaveBeenCalledTimes(1);
    await clock.advance((ttlMs / 3) * 4);
    expect(touchMany).toHaveBeenCalledTimes(5);
  });

  it('share one timer, however many channels there are, and none once they are gone', async () => {
    const { clock, server } = serve();
    const clients = [];
    for (let index = 0; index < 10; index += 1) {
      const client = await connectTo(server);
      await client.send('x');
      clients.push(client);
    }
    expect(clock.pendingTimers).toBe(1);
    for (const client of clients) await client.disconnect();
    expect(server.channels.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('are touched again by a channel that comes after all were gone', async () => {
    const { clock, memory, server } = serve();
    const touchMany = vi.spyOn(memory, 'touchMany');
    await (await connectTo(server)).disconnect();
    await (await connectTo(server)).send('x');
    await clock.advance(ttlMs / 3);
    expect(touchMany).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['is not touched before the next round where it is young enough for that', -1, 0],
    ['is touched soon where it may not live so long', 0, 1],
  ])('found by a client that comes back: one %s', async (_what, ms, touches) => {
    const { clock, memory } = serve();
    const { tokens, cookie } = await oneToken();
    const session = { store: memory, ttlMs, scope: 'client' as const };
    const connect = withUserFromToken({ tokens })(withChannelSession(({ channelSession }) => channelSession.set('n', 1)));
    const comeAndGo = async (): Promise<void> => {
      const server = new ChannelServer({ connect }, { clock, session });
      await connectTo(server, { headers: { cookie } });
      await clock.advance(1_000);
      await server.close();
    };
    await comeAndGo();
    const touchMany = vi.spyOn(memory, 'touchMany');
    await clock.advance(ttlMs / 3 - 1_000 + ms);
    await comeAndGo();
    expect(touchMany).toHaveBeenCalledTimes(touches);
  });

  it('found by clients that come back one after the other are touched together, as soon as the first of them must be', async () => {
    const { clock, memory } = serve();
    const { tokens, cookie } = await oneToken();
    const cookies = [cookie, `key=${(await tokens.issue('ann')).key}`];
    const session = { store: memory, ttlMs, scope: 'client' as const };
    const connect = withUserFromToken({ tokens })(withChannelSession(({ channelSession }) => channelSession.set('n', 1)));
    const before = new ChannelServer({ connect }, { clock, session });
    for (const each of cookies) await connectTo(before, { headers: { cookie: each } });
    await before.close();
    await clock.advance(ttlMs / 2);
    const touchMany = vi.spyOn(memory, 'touchMany');
    const server = new ChannelServer({ connect }, { clock, session });
    await connectTo(server, { headers: { cookie: cookies[0] as string } });
    await clock.advance(ttlMs / 100 - 1);
    await connectTo(server, { headers: { cookie: cookies[1] as string } });
    await clock.advance(1);
    expect(touchMany.mock.calls.map(([ids]) => ids.length)).toEqual([2]);
    await server.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('do not include those of channels that never changed their session', async () => {
    const { clock, memory, server } = serve();
    const touchMany = vi.spyOn(memory, 'touchMany');
    await connectTo(server);
    await clock.advance(ttlMs * 2);
    expect(touchMany).not.toHaveBeenCalled();
  });

  it('are kept through a touch that fails once: it is reported and tried again before they expire', async () => {
    const { clock, memory, errors, server } = serve();
    const client = await connectTo(server);
    await clock.advance(1);
    await client.send('x'); // right after a round began: the next one finds it too young
    vi.spyOn(memory, 'touchMany').mockRejectedValueOnce(new Error('down'));
    await clock.advance(ttlMs * 3);
    expect(codesOf(errors)).toEqual(['ERR_SESSION_SAVE_FAILED']);
    await client.send('x');
    expect(client.channelSession.get('n')).toBe(2);
    expect(memory.size).toBe(1);
  });

  it.each<[string, () => unknown]>([
    ['never answers', () => new Promise(() => {})],
    [
      'throws synchronously',
      () => {
        throw new Error('down');
      },
    ],
  ])('are reported where the touch %s, and the channels stay', async (_name, touchMany) => {
    const { clock, memory, errors, server } = serve();
    const client = await connectTo(server);
    await client.send('x');
    vi.spyOn(memory, 'touchMany').mockImplementationOnce(touchMany as never);
    await clock.advance(ttlMs / 3 + 5_000);
    expect(codesOf(errors)).toEqual(['ERR_SESSION_SAVE_FAILED']);
    expect(client.closed).toBeUndefined();
  });

  it('are no longer touched once the server is closed', async () => {
    const { clock, memory, server } = serve();
    await (await connectTo(server)).send('x');
    await server.close();
    expect(clock.pendingTimers).toBe(0);
    expect(memory.size).toBe(0);
  });

  it('need no timer for a connect handler that first reads its session when its client has left', async () => {
    const [begun, going] = [deferred<AbortSignal>(), deferred()];
    const seen: unknown[] = [];
    const connect = withChannelSession(async (message) => {
      begun.resolve(message.signal);
      await going.promise;
      seen.push(message.channelSession.get('n'));
    });
    const { port, clock } = await inNetwork({ connect }, { session: { store: new MemorySessionStore(), ttlMs } });
    const client = await RawClient.upgrade(port);
    const signal = await begun.promise;
    client.reset();
    await eventually(() => expect(signal.aborted).toBe(true));
    going.resolve();
    await eventually(() => expect(seen).toEqual([undefined]));
    expect(clock.pendingTimers).toBe(0);
  });
});
