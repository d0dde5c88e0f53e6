import { describe, expect, it } from 'vitest';
import type { CountChange } from '../../../src/groups/group-counts.js';
import { partsOf, presenceMessage } from '../../../src/groups/presence-message.js';

const change = { node: 'n', kind: 'change', at: 1 };

describe('what a node says of presence', () => {
  it.each<object>([
    { node: 'n', kind: 'leave' },
    { node: 'n', kind: 'ask' },
    { node: 'n', kind: 'ask', of: 'm' },
    { node: 'n', kind: 'alive', at: 0 },
    { ...change, kind: 'all', counts: [] },
    {
      ...change,
      counts: [
        ['lobby', 'ann', 0],
        ['lobby', 'bob', 2],
      ],
    },
  ])('is taken as it stands: %j', (message) => {
    expect(presenceMessage(JSON.stringify(message))).toEqual(message);
  });

  it.each<unknown>([
    null,
    'leave',
    { kind: 'leave' },
    { node: 7, kind: 'leave' },
    { node: 'n', kind: 'ask', of: 7 },
    { node: 'n', kind: 'alive' },
    { node: 'n', kind: 'alive', at: 0.5 },
    { node: 'n', kind: 'new', at: 1, counts: [] },
    change,
    { ...change, counts: 'none' },
    { ...change, counts: [['lobby', 'ann', 1], null] },
    { ...change, counts: ['abc'] },
    { ...change, counts: [[7, 'ann', 1]] },
    { ...change, counts: [['lobby', 7, 1]] },
    { ...change, counts: [['lobby', 'ann', 0.5]] },
    { ...change, counts: [['lobby', 'ann', '1']] },
    { ...change, counts: [['lobby', 'ann', -1]] },
    { ...change, counts: [['lobby', 'ann']] },
    { ...change, counts: [{ 0: 'lobby', 1: 'ann', 2: 1 }] },
  ])('is left aside where it is of another form: %j', (message) => {
    expect(presenceMessage(JSON.stringify(message))).toBeUndefined();
  });

  it('is left aside where it is no JSON, or bytes', () => {
    expect(presenceMessage('{')).toBeUndefined();
    expect(presenceMessage(Buffer.from(JSON.stringify({ node: 'n', kind: 'leave' })))).toBeUndefined();
  });

  it('is said in parts, each of which has as many counts as one message carries', () => {
    const counts = (length: number, characters: number): CountChange[] =>
      Array.from({ length }, (_, index) => [String(index).padStart(characters, '-'), 'ann', 1]);
    const sizes = (all: readonly CountChange[]): number[] => partsOf(all).map((part) => part.length);
    expect(sizes([])).toEqual([]);
    expect(sizes(counts(5_000, 4))).toEqual([2_000, 2_000, 1_000]);
    expect(sizes(counts(100, 2_000))).toEqual([32, 32, 32, 4]);
    expect(sizes(counts(2, 70_000))).toEqual([1, 1]);
  });
});
