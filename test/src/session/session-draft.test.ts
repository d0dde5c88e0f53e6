import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type Changes, replay, type SessionData } from '../../../src/session/changes.js';
import { frozenJson } from '../../../src/session/json-value.js';
import { SessionDraft } from '../../../src/session/session-draft.js';
import { thrownBy } from '../../support/site.js';

const dataOf = (values: object): SessionData => new Map(Object.entries(values).map(([key, value]) => [key, frozenJson(value, key)]));

function draftOf(values: object): SessionDraft {
  return new SessionDraft({ data: dataOf(values), reload: () => Promise.resolve() });
}

const plain = (data: SessionData): object => Object.fromEntries(data);

describe('a message’s view of the session', () => {
  it('reads what is committed, and its own changes on top', () => {
    const draft = draftOf({ a: 1, b: 2, c: 3 });
    draft.set('a', 10);
    draft.delete('b');
    draft.update('c', (value: number) => value + 1);
    draft.set('d', { e: [1] });
    expect(JSON.parse(JSON.stringify(draft))).toEqual({ a: 10, c: 4, d: { e: [1] } });
    expect([draft.has('a'), draft.has('b'), draft.has('d'), draft.has('e')]).toEqual([true, false, true, false]);
    expect(draft.get('b')).toBeUndefined();
    expect(plain(draft.base)).toEqual({ a: 1, b: 2, c: 3 });
  });

  it('has no changes before it is changed, nor after a set of the very value that is there', () => {
    const draft = draftOf({ a: 1, list: [1] });
    draft.get('a');
    draft.has('a');
    draft.set('a', 1);
    draft.set('list', draft.get('list'));
    draft.delete('nothing');
    expect(draft.changes).toBeUndefined();
  });

  it('gives frozen values without copying them: a nested mutation fails loudly', () => {
    const draft = draftOf({ rooms: [{ name: 'hall' }] });
    const rooms = draft.get('rooms') as unknown as { name: string }[];
    expect(draft.get('rooms')).toBe(rooms);
    expect(() => rooms.push({ name: 'attic' })).toThrow(TypeError);
    expect(() => {
      rooms[0]!.name = 'attic';
    }).toThrow(TypeError);
  });

  it('takes a copy of what is set: a later change of it changes nothing', () => {
    const draft = draftOf({});
    const rooms = ['hall'];
    draft.set('rooms', rooms);
    rooms.push('attic');
    expect(draft.get('rooms')).toEqual(['hall']);
  });

  it('throws a TypeError with the path for what JSON cannot hold, and stays as it was', () => {
    const draft = draftOf({ a: 1 });
    expect(thrownBy(() => draft.set('a', { at: [new Date()] })).message).toMatch(/channelSession\.set\('a'\)\.at\[0\]/);
    expect(thrownBy(() => draft.update('a', () => undefined)).message).toMatch(/channelSession\.update\('a'\)/);
    expect(thrownBy(() => draft.update('a', async () => 1)).message).toMatch(/Promise/);
    expect(draft.changes).toBeUndefined();
  });

  it.each<[string, (draft: SessionDraft) => unknown]>([
    ['a key', (draft) => draft.set(1 as never, 1)],
    ['a key', (draft) => draft.update({} as never, () => 1)],
    ['change', (draft) => draft.update('a', 1 as never)],
  ])('throws a TypeError for %s of another type', (name, run) => {
    const error = thrownBy(() => run(draftOf({})));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain(name);
  });

  it('passes on what the function of an update throws, and stays as it was', () => {
    const draft = draftOf({ a: 1 });
    expect(() =>
      draft.update('a', () => {
        throw new RangeError('too many');
      }),
    ).toThrow(RangeError);
    expect(draft.changes).toBeUndefined();
  });

  it('has keys named as members of every object, and finds nothing under them before', () => {
    const draft = draftOf({});
    for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      expect([draft.get(key), draft.has(key)]).toEqual([undefined, false]);
      draft.set(key, { admin: true });
      expect(draft.get(key)).toEqual({ admin: true });
    }
    expect(Object.keys(draft.toJSON())).toEqual(['__proto__', 'constructor', 'toString', 'hasOwnProperty']);
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
  });

  it('shows its values where it is inspected', () => {
    const draft = draftOf({ a: 1 });
    draft.set('b', 2);
    expect(inspect(draft)).toBe('ChannelSession { a: 1, b: 2 }');
  });
});

describe('replay', () => {
  const base = dataOf({ a: 1, b: 1, count: 1 });
  const changesOf = (run: (draft: SessionDraft) => void): Changes => {
    const draft = new SessionDraft({ data: base, reload: () => Promise.resolve() });
    run(draft);
    return draft.changes as Changes;
  };

  it('puts changes on data that others changed elsewhere', () => {
    const changes = changesOf((draft) => {
      draft.set('a', 2);
      draft.delete('b');
    });
    expect(plain(replay(changes, base, dataOf({ a: 1, b: 1, count: 7, other: true })))).toEqual({ a: 2, count: 7, other: true });
  });

  it.each<[string, (draft: SessionDraft) => void, object]>([
    ['set', (draft) => draft.set('a', 2), { a: 3, b: 1 }],
    ['set', (draft) => draft.set('a', 2), { b: 1 }],
    ['set anew', (draft) => draft.set('new', 2), { a: 1, new: 3 }],
    ['deleted', (draft) => draft.delete('a'), { a: 3, b: 1 }],
    [
      'set and then updated',
      (draft) => {
        draft.set('a', 2);
        draft.update('a', (value: number) => value + 1);
      },
      { a: 3, b: 1 },
    ],
  ])('throws a conflict for a key that this message %s and someone else changed', (_name, run, newest) => {
    expect(thrownBy(() => replay(changesOf(run), base, dataOf(newest))).code).toBe('ERR_SESSION_CONFLICT');
  });

  it('takes the same value written by someone else for no conflict', () => {
    const changes = changesOf((draft) => draft.set('a', 2));
    expect(plain(replay(changes, base, dataOf({ a: 1, b: 1, count: 1 })))).toEqual({ a: 2, b: 1, count: 1 });
  });

  it('reruns every step of an update on the newest value', () => {
    const changes = changesOf((draft) => {
      draft.update('count', (value: number) => value + 1);
      draft.update('count', (value: number) => value * 10);
    });
    expect(plain(replay(changes, base, base))).toEqual({ a: 1, b: 1, count: 20 });
    expect(plain(replay(changes, base, dataOf({ count: 4 })))).toEqual({ count: 50 });
  });

  it('changes none of the data that it is given', () => {
    const newest = dataOf({ a: 1 });
    replay(
      changesOf((draft) => draft.set('a', 2)),
      base,
      newest,
    );
    expect([plain(base), plain(newest)]).toEqual([{ a: 1, b: 1, count: 1 }, { a: 1 }]);
  });
});
