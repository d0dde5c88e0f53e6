import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { type Changes, rebase } from '../../../src/session/changes.js';
import { frozenJson } from '../../../src/session/json-value.js';
import { objectOf, SessionData, type Snapshot } from '../../../src/session/session-data.js';
import { SessionDraft } from '../../../src/session/session-draft.js';
import { thrownBy } from '../../support/site.js';

const valuesOf = (values: object): Snapshot => new Map(Object.entries(values).map(([key, value]) => [key, frozenJson(value, key)]));

/** A session of a test, and the drafts of messages. */
function sessionOf(values: object) {
  const data = new SessionData();
  data.replace(valuesOf(values));
  const source = {
    get values() {
      return data.values;
    },
    hold: () => data.hold(),
    release: (held: Snapshot) => data.release(held),
    reload: () => Promise.resolve(),
  };
  return { data, source, draft: () => new SessionDraft(source) };
}

const draftOf = (values: object): SessionDraft => sessionOf(values).draft();
const plain = (values: Snapshot): object => Object.fromEntries(values);

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

  it('has again what was there before, where that is set again', () => {
    const draft = draftOf({ a: 1 });
    draft.set('a', 2);
    draft.set('a', 1);
    expect(draft.get('a')).toBe(1);
  });

  it('has the last of several changes of one key, and what it saw first under it', () => {
    const draft = draftOf({ a: 1, b: 1 });
    for (const value of [2, 2, 3]) draft.set('a', value);
    draft.update('b', (value: number) => value + 1);
    draft.set('b', 2); // the same value, but from here on it does not depend on the old one
    draft.delete('b');
    expect(draft.changes).toEqual([
      { key: 'a', value: 3, seen: 1, updaters: undefined },
      { key: 'b', value: undefined, seen: 1, updaters: undefined },
    ]);
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

describe('a session that is being reloaded', () => {
  it('takes no change until that is done, since it would be lost with it', async () => {
    const draft = draftOf({ a: 1 });
    draft.set('a', 2);
    const reloading = Promise.all([draft.reload(), draft.reload()]);
    expect(() => draft.set('a', 3)).toThrow(TypeError);
    expect(() => draft.update('a', () => 3)).toThrow(TypeError);
    expect(() => draft.delete('a')).toThrow(TypeError);
    await reloading;
    expect(draft.get('a')).toBe(1);
    draft.set('a', 4);
    expect(draft.get('a')).toBe(4);
  });

  it('takes changes again, and has its own still, where that fails', async () => {
    const source = { ...sessionOf({ a: 1 }).source, reload: () => Promise.reject(new Error('down')) };
    const draft = new SessionDraft(source);
    draft.set('b', 1);
    await expect(draft.reload()).rejects.toThrow('down');
    draft.set('c', 1);
    expect(draft.changes).toHaveLength(2);
  });
});

describe('a draft whose message is over', () => {
  it.each<[string, (draft: SessionDraft) => unknown]>([
    ['set', (draft) => draft.set('a', 2)],
    ['set of what is there', (draft) => draft.set('a', 1)],
    ['delete', (draft) => draft.delete('a')],
    ['delete of nothing', (draft) => draft.delete('nothing')],
    ['update', (draft) => draft.update('a', (value: number) => value + 1)],
  ])('throws a TypeError at %s', (_name, run) => {
    const draft = draftOf({ a: 1 });
    draft.set('b', 2);
    draft.seal();
    expect(thrownBy(() => run(draft))).toBeInstanceOf(TypeError);
    expect(draft.changes).toBeUndefined();
  });

  it('rejects a reload', async () => {
    const draft = draftOf({ a: 1 });
    draft.seal();
    await expect(draft.reload()).rejects.toThrow(TypeError);
  });

  it('takes no change after a reload that ends later than the message', async () => {
    const draft = draftOf({ a: 1 });
    const reloading = draft.reload();
    draft.seal();
    await reloading;
    expect(() => draft.set('a', 2)).toThrow(TypeError);
  });

  it('is read as what was committed last, its own changes among it once they are', () => {
    const { data, draft } = sessionOf({ a: 1 });
    const over = draft();
    over.set('a', 2);
    const changes = over.seal() as Changes;
    expect([over.get('a'), over.has('a'), JSON.stringify(over)]).toEqual([1, true, '{"a":1}']);
    data.apply(changes);
    expect([over.get('a'), JSON.stringify(over)]).toEqual([2, '{"a":2}']);
  });
});

describe('a property that the session does not have', () => {
  it.each<[string, (draft: Record<string, unknown>) => unknown]>([
    [
      'is assigned',
      (draft) => {
        draft['views'] = 1;
      },
    ],
    ['is assigned by Object.assign', (draft) => Object.assign(draft, { views: 1 })],
    ['is assigned by Reflect.set', (draft) => Reflect.set(draft, 'views', 1)],
    ['is assigned by code that is not strict', (draft) => runInNewContext('draft.views = 1', { draft })],
    [
      'is a symbol',
      (draft) => {
        (draft as Record<symbol, unknown>)[Symbol('views')] = 1;
      },
    ],
    [
      'is a method put in the place of one of its own',
      (draft) => {
        draft['get'] = () => 1;
      },
    ],
  ])('throws a TypeError where it %s', (_name, run) => {
    const draft = draftOf({ a: 1 });
    expect(thrownBy(() => run(draft as never))).toBeInstanceOf(TypeError);
    expect([draft.get('a'), Object.keys(draft), (draft as unknown as Record<string, unknown>)['views']]).toEqual([1, [], undefined]);
  });
});

describe('the committed values', () => {
  const change = (key: string, value: number, seen?: number): Changes => [{ key, value, seen, updaters: undefined }];

  it('stay as they are for a message that runs, whatever is committed meanwhile', () => {
    const { data, draft } = sessionOf({ a: 1 });
    const [early, other] = [draft(), draft()];
    data.apply(change('a', 2));
    data.apply(change('a', 3));
    expect([early.get('a'), other.get('a'), draft().get('a')]).toEqual([1, 1, 3]);
  });

  it('are changed in place where no message runs', () => {
    const { data, draft } = sessionOf({ a: 1 });
    const values = data.values;
    const over = draft();
    over.seal();
    data.apply(change('a', 2));
    expect(data.values).toBe(values);
  });

  it('are copied once for messages that run on, however often they are changed', () => {
    const { data, draft } = sessionOf({ a: 1 });
    const early = draft();
    data.apply(change('a', 2));
    const copy = data.values;
    data.apply(change('a', 3));
    expect(data.values).toBe(copy);
    early.seal(); // what it held is nobody's concern any more
    draft();
    data.apply(change('a', 4));
    expect(data.values).not.toBe(copy);
  });
});

describe('changes on top of what others committed', () => {
  const base = { a: 1, b: 1, count: 1 };
  const changesOf = (run: (draft: SessionDraft) => void): Changes => {
    const draft = draftOf(base);
    run(draft);
    return draft.changes as Changes;
  };
  const replay = (changes: Changes, newest: object): object => objectOf(valuesOf(newest), rebase(changes, valuesOf(newest)));

  it('join those that others made elsewhere', () => {
    const changes = changesOf((draft) => {
      draft.set('a', 2);
      draft.delete('b');
    });
    expect(replay(changes, { a: 1, b: 1, count: 7, other: true })).toEqual({ a: 2, count: 7, other: true });
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
  ])('are a conflict for a key that this message %s and someone else changed', (_name, run, newest) => {
    expect(thrownBy(() => replay(changesOf(run), newest)).code).toBe('ERR_SESSION_CONFLICT');
  });

  it('are no conflict where someone else wrote the same value', () => {
    const changes = changesOf((draft) => draft.set('a', 2));
    expect(replay(changes, { a: 1, b: 1, count: 1 })).toEqual({ a: 2, b: 1, count: 1 });
  });

  it('are made by every step of an update again, on the newest value', () => {
    const changes = changesOf((draft) => {
      draft.update('count', (value: number) => value + 1);
      draft.update('count', (value: number) => value * 10);
    });
    expect(replay(changes, base)).toEqual({ a: 1, b: 1, count: 20 });
    expect(replay(changes, { count: 4 })).toEqual({ count: 50 });
  });

  it('change none of the values that they are given', () => {
    const newest = valuesOf({ a: 1, count: 4 });
    rebase(
      changesOf((draft) => {
        draft.set('a', 2);
        draft.update('count', (value: number) => value + 1);
      }),
      newest,
    );
    expect(plain(newest)).toEqual({ a: 1, count: 4 });
  });

  it('are the very same where nobody touched their keys', () => {
    const changes = changesOf((draft) => draft.update('count', (value: number) => value + 1));
    expect(rebase(changes, valuesOf({ ...base, a: 7 }))).toBe(changes);
  });
});
