import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { MemoryHttpSessionReader } from '../../../entries/memory.js';
import { TestClock } from '../../../entries/testing.js';
import { requestWith } from '../../../testing/contracts/request-with-cookie.js';

const defaultTtlMs = 14 * 24 * 60 * 60 * 1000;

describe('create', () => {
  it('gives an id of 192 random bits that a cookie can hold as it is', () => {
    const reader = new MemoryHttpSessionReader();
    const ids = Array.from({ length: 20 }, () => reader.create('ada'));
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{32}$/);
    expect(new Set(ids).size).toBe(20);
  });

  it.each([
    ['an empty user id', '', {}],
    ['a user id that is no string', 7, {}],
    ['data that is null', 'ada', null],
    ['data that is a list', 'ada', []],
    ['data that is a string', 'ada', 'theme=dark'],
    ['data that cannot be copied', 'ada', { change: () => 1 }],
  ])('refuses %s', (_, userId, data) => {
    expect(() => new MemoryHttpSessionReader().create(userId as string, data as never)).toThrow(TypeError);
  });

  it('copies the data', async () => {
    const reader = new MemoryHttpSessionReader();
    const data = { list: ['a'] };
    const id = reader.create('ada', data);
    data.list.push('b');
    expect((await reader.readById(id))?.data).toEqual({ list: ['a'] });
  });
});

describe('the cookie', () => {
  it('may come twice with one value, and counts as none with two', async () => {
    const reader = new MemoryHttpSessionReader({ cookie: 'sid' });
    const [first, second] = [reader.create('ada'), reader.create('bob')];
    expect((await reader.read(requestWith(`sid=${first}; sid=${first}`)))?.userId).toBe('ada');
    expect(await reader.read(requestWith(`sid=${first}; sid=${second}`))).toBeUndefined();
    expect(await reader.read(requestWith(`sid=${first}; sid=`))).toBeUndefined();
    expect((await reader.read(requestWith(`sid; sid=${second}`)))?.userId).toBe('bob');
  });

  it('is called sessionid unless the option says otherwise', async () => {
    const reader = new MemoryHttpSessionReader();
    const id = reader.create('ada');
    expect((await reader.read(requestWith(`sessionid=${id}`)))?.userId).toBe('ada');
    expect(await reader.read(requestWith(`SessionId=${id}`))).toBeUndefined();
    const renamed = new MemoryHttpSessionReader({ cookie: 'sid' });
    const other = renamed.create('bob');
    expect((await renamed.read(requestWith(`sid=${other}`)))?.userId).toBe('bob');
    expect(await renamed.read(requestWith(`sessionid=${other}`))).toBeUndefined();
  });
});

describe('expiry', () => {
  it('comes two weeks after the creation or the last save', async () => {
    const clock = new TestClock();
    const reader = new MemoryHttpSessionReader({ clock });
    const id = reader.create('ada');
    await clock.advance(defaultTtlMs - 1);
    const session = await reader.readById(id);
    await session?.save();
    await clock.advance(defaultTtlMs - 1);
    expect(await reader.readById(id)).toBeDefined();
    await clock.advance(1);
    expect(await reader.readById(id)).toBeUndefined();
    await expect(session?.save()).rejects.toMatchObject({ code: 'ERR_SESSION_GONE' });
    expect(reader.destroy(id)).toBe(false);
  });

  it('is sooner where ttlMs says so', async () => {
    const clock = new TestClock();
    const reader = new MemoryHttpSessionReader({ clock, ttlMs: 1000 });
    const id = reader.create('ada');
    await clock.advance(1000);
    expect(await reader.readById(id)).toBeUndefined();
  });

  it('removes sessions while others are created: none is left, were the clock set back', async () => {
    let time = 0;
    const reader = new MemoryHttpSessionReader({ clock: { now: () => time }, ttlMs: 1000 });
    const create = (count: number): string[] => Array.from({ length: count }, () => reader.create('ada'));
    const ended = create(20);
    time = 500;
    const live = create(5);
    time = 1000;
    create(30);
    time = 0;
    expect([...(await reader.readByIds([...ended, ...live])).keys()]).toEqual(live);
  });
});

describe('save', () => {
  it('rejects with ERR_SESSION_GONE where the session was destroyed meanwhile', async () => {
    const reader = new MemoryHttpSessionReader();
    const id = reader.create('ada');
    const session = await reader.readById(id);
    expect([reader.destroy(id), reader.destroy(id)]).toEqual([true, false]);
    await expect(session?.save()).rejects.toMatchObject({ code: 'ERR_SESSION_GONE' });
  });

  it('writes data that replaced the object, and refuses what cannot be copied', async () => {
    const reader = new MemoryHttpSessionReader();
    const session = await reader.readById(reader.create('ada', { old: true }));
    session!.data = { fresh: true };
    await session!.save();
    expect((await reader.readById(session!.id!))?.data).toEqual({ fresh: true });
    session!.data.change = () => 1;
    await expect(session!.save()).rejects.toBeInstanceOf(TypeError);
    expect((await reader.readById(session!.id!))?.data).toEqual({ fresh: true });
  });
});

describe('options and secrets', () => {
  it.each([
    { cookie: '' },
    { cookie: 'a=b' },
    { cookie: 'a b' },
    { cookie: 7 },
    { ttlMs: 0 },
    { ttlMs: 1.5 },
    { ttlMs: Number.MAX_VALUE },
    { clock: null },
  ])('refuses %s', (options) => {
    expect(() => new MemoryHttpSessionReader(options as never)).toThrow(TypeError);
  });

  it('shows no id when it, or one of its sessions, is printed or serialized', async () => {
    const reader = new MemoryHttpSessionReader();
    const id = reader.create('ada');
    const session = await reader.readById(id);
    reader.destroy(id);
    const error = await session?.save().catch((thrown: unknown) => thrown);
    const shown = inspect([reader, session, error], { depth: 9, showHidden: true }) + JSON.stringify([reader, session, error]);
    expect(shown).not.toContain(id);
    expect(session?.id).toBe(id);
  });
});
