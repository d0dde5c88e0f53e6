import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arrivals, type Arrived } from '../../../src/channel/channel-registry.js';
import { arrival } from '../../../src/channel/connection.js';

interface Named extends Arrived {
  readonly name: number;
}

function namesOf(arrivals: Iterable<Named>): number[] {
  return Array.from(arrivals, ({ name }) => name);
}

describe('the channels that came', () => {
  it('are those that are still there, in the order in which they came, as in a Set', () => {
    // a step adds so many, or takes the n-th of those that are there away
    const steps = fc.array(
      fc.oneof(fc.record({ add: fc.integer({ min: 1, max: 100 }) }), fc.record({ part: fc.double({ min: 0, max: 0.99, noNaN: true }) })),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (taken) => {
        const arrivals = new Arrivals<Named>();
        const model = new Set<Named>();
        let names = 0;
        for (const step of taken) {
          if ('add' in step) {
            for (let count = 0; count < step.add; count += 1) {
              const channel = { [arrival]: -1, name: names };
              names += 1;
              arrivals.add(channel);
              model.add(channel);
            }
          } else {
            const [...there] = model;
            for (const channel of there.slice(Math.floor(step.part * there.length), Math.floor(step.part * there.length) + 40)) {
              arrivals.delete(channel);
              model.delete(channel);
            }
          }
          expect(arrivals.size).toBe(model.size);
        }
        expect(namesOf(arrivals)).toEqual(namesOf(model));
      }),
      { numRuns: 100 },
    );
  });

  it('include those that come while they are gone through, and not those that went', () => {
    const arrivals = new Arrivals<Named>();
    const channels = Array.from({ length: 17 }, (_, name) => ({ [arrival]: 0, name }));
    const [first, second] = channels as [Named, Named];
    for (const channel of channels.slice(0, 16)) arrivals.add(channel);
    const seen: number[] = [];
    for (const { name } of arrivals) {
      seen.push(name);
      if (name !== 0) continue;
      arrivals.delete(first);
      arrivals.delete(second);
      arrivals.add(channels[16] as Named);
    }
    expect(seen).toEqual([0, ...Array.from({ length: 15 }, (_, index) => index + 2)]);
  });

  it('lose none where one is taken away twice, or was never added', () => {
    const arrivals = new Arrivals<Named>();
    const [one, other] = [
      { [arrival]: 0, name: 1 },
      { [arrival]: 0, name: 2 },
    ];
    arrivals.add(one);
    arrivals.delete(other);
    expect(namesOf(arrivals)).toEqual([1]);
    arrivals.delete(one);
    arrivals.delete(one);
    expect([arrivals.size, namesOf(arrivals)]).toEqual([0, []]);
  });
});
