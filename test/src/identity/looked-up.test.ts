import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { lookedUp } from '../../../src/identity/looked-up.js';
import { maxInFlight, someAtATime } from '../../../src/identity/some-at-a-time.js';

const ids = Array.from({ length: 3 * maxInFlight }, (_, index) => `id${index}`);

describe('looking up several ids', () => {
  it('one by one asks for each of them once, and for eight at a time', async () => {
    const asked: string[] = [];
    let underWay = 0;
    let most = 0;
    const one = async (id: string): Promise<string> => {
      asked.push(id);
      underWay += 1;
      most = Math.max(most, underWay);
      await nextTurn();
      underWay -= 1;
      return id.toUpperCase();
    };
    const made = await lookedUp(ids, { one: { name: 'one', call: one }, many: undefined }, (found, method) => `${found} ${method}`);
    expect([asked, most]).toEqual([ids, maxInFlight]);
    expect(made).toEqual(new Map(ids.map((id) => [id, `${id.toUpperCase()} one`])));
  });

  it('one by one leaves out who is not there, and has an error for who cannot be told', async () => {
    const down = new Error('down');
    const call = async (id: string): Promise<string | null | undefined> => {
      if (id === 'id1') throw down;
      return { id2: null, id3: undefined }[id] ?? (id === 'id0' ? 'found' : undefined);
    };
    expect(await lookedUp(ids, { one: { name: 'one', call }, many: undefined }, (found) => found)).toEqual(
      new Map<string, unknown>([
        ['id0', 'found'],
        ['id1', down],
      ]),
    );
  });

  it('at once asks a single time, and what cannot be made of one answer is the error of that one', async () => {
    const asked: (readonly string[])[] = [];
    const wrong = new TypeError('wrong');
    const many = async (wanted: readonly string[]): Promise<ReadonlyMap<string, number | null>> => {
      asked.push(wanted);
      return new Map([
        ['id0', 0],
        ['id1', 1],
        ['id2', null],
      ]);
    };
    const make = (found: number | null, method: string): string => {
      if (found === 1) throw wrong;
      return `${String(found)} ${method}`;
    };
    const one = (): never => {
      throw new Error('asked one by one');
    };
    expect(await lookedUp(ids, { one: { name: 'one', call: one }, many: { name: 'many', call: many } }, make)).toEqual(
      new Map<string, unknown>([
        ['id0', '0 many'],
        ['id1', wrong],
      ]),
    );
    expect(asked).toEqual([ids]);
  });

  it('asks nobody for none', async () => {
    const call = (): never => {
      throw new Error('asked');
    };
    expect(await lookedUp([], { one: { name: 'one', call }, many: { name: 'many', call } }, () => 0)).toEqual(new Map());
  });
});

it('what is done for some at a time begins with no other once it has failed for one', async () => {
  const begun: string[] = [];
  const doing = someAtATime(ids, async (id) => {
    begun.push(id);
    await nextTurn();
    if (id === 'id2') throw new Error('down');
  });
  await expect(doing).rejects.toThrow('down');
  await nextTurn();
  expect(begun.length).toBeLessThan(2 * maxInFlight);
});
