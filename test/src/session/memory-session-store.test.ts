import { inspect } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { withChannelSession } from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import type { JsonObject, StoredSession } from '../../../src/contracts/session-store.js';
import { MemorySessionStore } from '../../../src/session/memory-session-store.js';
import { TestClock } from '../../../testing/test-clock.js';

const clock = new TestClock();

function session(ttlMs = 1000, data: JsonObject = {}): StoredSession {
  return { version: 1, data, createdAt: new Date(clock.now()), expiresAt: new Date(clock.now() + ttlMs) };
}

async function filled(count: number, ttlMs = 1000): Promise<MemorySessionStore> {
  const store = new MemorySessionStore({ maxSessions: count, clock });
  for (let index = 0; index < count; index += 1) await store.create(`id-${index}`, session(ttlMs));
  return store;
}

async function kept(store: MemorySessionStore, ids: readonly string[]): Promise<boolean[]> {
  const loaded: boolean[] = [];
  for (const id of ids) loaded.push((await store.load(id)) !== undefined);
  return loaded;
}

describe('expiry', () => {
  it('refuses a record from the moment at which it expires', async () => {
    const store = await filled(1);
    await clock.advance(999);
    expect(await store.load('id-0')).toBeDefined();
    await clock.advance(1);
    expect(await store.load('id-0')).toBeUndefined();
    expect(store.size).toBe(0);
  });

  it('sets no timer', async () => {
    const store = new MemorySessionStore({ clock });
    await store.create('id', session(2 ** 40));
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(2 ** 32);
    expect(await store.load('id')).toBeDefined();
  });

  it('follows the time that touch sets', async () => {
    const store = await filled(1);
    await store.touch('id-0', new Date(clock.now() + 5000));
    await clock.advance(4999);
    expect(await store.load('id-0')).toBeDefined();
    await clock.advance(1);
    await store.touch('id-0', new Date(clock.now() + 5000));
    expect(await store.load('id-0')).toBeUndefined();
  });

  it('removes expired records while others are created, also in a store that is not full', async () => {
    const store = new MemorySessionStore({ maxSessions: 1000, clock });
    for (let index = 0; index < 50; index += 1) await store.create(`old-${index}`, session());
    await clock.advance(1000);
    for (let index = 0; index < 50; index += 1) await store.create(`new-${index}`, session(60_000));
    expect(store.size).toBeLessThan(100);
  });

  it('goes on removing them, beside records that live on', async () => {
    const store = new MemorySessionStore({ maxSessions: 1000, clock });
    for (let index = 0; index < 10; index += 1) await store.create(`lasting-${index}`, session(60_000));
    for (let round = 0; round < 10; round += 1) {
      for (let index = 0; index < 50; index += 1) await store.create(`${round}-${index}`, session());
      await clock.advance(1000);
    }
    expect(store.size).toBeLessThan(200);
  });
});

describe('the bound', () => {
  it('is never exceeded', async () => {
    const store = await filled(10);
    for (let index = 0; index < 100; index += 1) {
      await store.create(`more-${index}`, session());
      expect(store.size).toBe(10);
    }
  });

  it('drops the least recently used record, where creating, loading, saving and touching are use', async () => {
    const store = await filled(4);
    await store.load('id-0');
    await store.save('id-1', { ...session(), version: 2 }, 1);
    await store.touch('id-2', new Date(clock.now() + 2000));
    await store.create('new', session());
    expect(await kept(store, ['id-0', 'id-1', 'id-2', 'id-3', 'new'])).toEqual([true, true, true, false, true]);
    await store.create('newer', session());
    expect(await kept(store, ['id-0', 'id-1', 'id-2', 'new', 'newer'])).toEqual([false, true, true, true, true]);
  });

  it('drops expired records first, however recently they were used', async () => {
    const store = await filled(200, 60_000);
    await store.touch('id-7', new Date(clock.now() + 1000));
    await clock.advance(1000);
    await store.create('new', session());
    expect(await kept(store, ['id-0', 'id-7', 'new'])).toEqual([true, false, true]);
    expect(store.size).toBe(200);
  });

  it('holds too where sweeps are spread out: the least recently used record goes in between', async () => {
    const store = await filled(200, 60_000);
    for (const id of ['id-198', 'id-199']) {
      await store.touch(id, new Date(clock.now() + 1000));
      await clock.advance(1000);
      await store.create(`after-${id}`, session(60_000));
    }
    expect(store.size).toBe(200);
    expect(await kept(store, ['id-0', 'id-1', 'id-198'])).toEqual([false, true, false]);
    // the sweeps go on: two creations later there is one again, and it finds the other expired record
    for (const id of ['a', 'b', 'c', 'd']) await store.create(id, session(60_000));
    expect(store.size).toBeLessThanOrEqual(200);
    expect(await kept(store, ['id-199', 'a', 'b', 'c', 'd'])).toEqual([false, true, true, true, true]);
  });

  it('does not count a save as a new record', async () => {
    const store = await filled(2);
    await store.save('id-0', { ...session(), version: 2 }, 1);
    expect(await kept(store, ['id-0', 'id-1'])).toEqual([true, true]);
  });

  it('is not touched by a creation that is refused', async () => {
    const store = await filled(2);
    await expect(store.create('id-1', session())).rejects.toMatchObject({ code: 'ERR_SESSION_CONFLICT' });
    await expect(store.create('new', session(1000, { bad: (() => 1) as never }))).rejects.toBeInstanceOf(TypeError);
    expect(await kept(store, ['id-0', 'id-1'])).toEqual([true, true]);
  });
});

describe('what it is given', () => {
  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '10', null])('refuses maxSessions %s', (maxSessions) => {
    expect(() => new MemorySessionStore({ maxSessions: maxSessions as number })).toThrow(TypeError);
  });

  it.each([{}, null, 5])('refuses a clock that cannot tell the time: %s', (bad) => {
    expect(() => new MemorySessionStore({ clock: bad as never })).toThrow(TypeError);
  });

  it('refuses invalid dates', async () => {
    const store = await filled(1);
    const invalid = new Date(Number.NaN);
    await expect(store.create('new', { ...session(), expiresAt: invalid })).rejects.toBeInstanceOf(TypeError);
    await expect(store.create('new', { ...session(), createdAt: invalid })).rejects.toBeInstanceOf(TypeError);
    await expect(store.touch('id-0', invalid)).rejects.toBeInstanceOf(TypeError);
    expect(await kept(store, ['id-0', 'new'])).toEqual([true, false]);
  });

  it('refuses data that JSON cannot hold', async () => {
    const store = await filled(1);
    const data = { when: new Date() } as never;
    await expect(store.create('new', session(1000, data))).rejects.toBeInstanceOf(TypeError);
    await expect(store.save('id-0', { ...session(1000, data), version: 2 }, 1)).rejects.toBeInstanceOf(TypeError);
    expect((await store.load('id-0'))?.version).toBe(1);
  });
});

describe('what a channel saves', () => {
  it('is frozen wherever somebody gets it: who loads it, and a save that is not the ordinary one', async () => {
    const store = new MemorySessionStore();
    const create = vi.spyOn(store, 'create');
    const receive = withChannelSession({ store })(({ channelSession }) =>
      channelSession.update('count', (count) => Number(count ?? 0) + 1),
    );
    const client = await connectTo({ receive });
    await client.send('1');
    await client.send('2');
    const [id, created] = create.mock.calls[0] as Parameters<MemorySessionStore['create']>;
    const loaded = await store.load(id);
    expect([Object.isFrozen(created.data), Object.isFrozen(loaded?.data), loaded?.data]).toEqual([true, true, { count: 2 }]);
    const save = vi.spyOn(store, 'save');
    await client.send('3');
    expect(save.mock.calls.map(([, { data }]) => [Object.isFrozen(data), data])).toEqual([[true, { count: 3 }]]);
    await client.disconnect();
  });
});

describe('secrets', () => {
  it('shows neither ids nor data when it is printed, serialized or refuses', async () => {
    const store = new MemorySessionStore();
    const live = { ...session(1000, { word: 'plover' }), expiresAt: new Date(Date.now() + 60_000) };
    await store.create('secret-id', live);
    const errors = await Promise.all([
      store.create('secret-id', live).catch((error: unknown) => error),
      store.save('secret-id', live, 7).catch((error: unknown) => error),
      store.save('other-secret-id', live, 1).catch((error: unknown) => error),
    ]);
    const shown = `${inspect([store, errors], { depth: 9, showHidden: true })} ${JSON.stringify([store, errors])} ${errors.join()}`;
    expect(shown).not.toMatch(/secret-id|plover/);
  });
});
