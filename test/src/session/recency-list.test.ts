import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Listed, RecencyList } from '../../../src/session/recency-list.js';

interface Entry extends Listed<Entry> {
  readonly name: number;
}

const step = fc.record({ name: fc.nat(5), does: fc.constantFrom('uses' as const, 'deletes' as const) });

/** Takes all out of the list, the least recently used one first. */
function emptied(list: RecencyList<Entry>): number[] {
  const names: number[] = [];
  for (let entry = list.first; entry !== undefined; entry = list.first) {
    names.push(entry.name);
    list.delete(entry);
  }
  return names;
}

it('entries are in the order of their use, and one that is taken out knows no other', () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const list = new RecencyList<Entry>();
      const entries = new Map<number, Entry>(); // which keeps their order as well
      for (const { name, does } of steps) {
        const entry = entries.get(name) ?? { name, before: undefined, after: undefined };
        const isListed = entries.delete(name);
        if (does === 'uses') {
          entries.set(name, entry);
          if (isListed) list.use(entry);
          else list.add(entry);
        } else if (isListed) {
          list.delete(entry);
          expect(entry).toEqual({ name, before: undefined, after: undefined });
        }
        expect(list.first?.name).toBe(entries.keys().next().value);
      }
      expect(emptied(list)).toEqual([...entries.keys()]);
    }),
  );
});
