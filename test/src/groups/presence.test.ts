import { expect, it } from 'vitest';
import { Groups } from '../../../entries/index.js';
import { MemoryBroadcaster } from '../../../entries/memory.js';
import { TestClock } from '../../../entries/testing.js';
import type { Broadcaster } from '../../../src/contracts/broadcaster.js';
import { presenceGroup } from '../../../src/groups/presence.js';
import { StoppableClock } from '../../support/stoppable-clock.js';
import { memberOf } from './member.js';

/** A broadcaster that loses what it is told to. */
class LossyBroadcaster implements Broadcaster {
  readonly #inner: MemoryBroadcaster;
  isLosing = false;

  constructor(joins?: LossyBroadcaster) {
    this.#inner = new MemoryBroadcaster(joins === undefined ? {} : { joins: joins.#inner });
  }

  async publish(group: string, data: string | Uint8Array): Promise<void> {
    if (!this.isLosing) await this.#inner.publish(group, data);
  }

  subscribe(on: (group: string, data: string | Uint8Array) => void, onGap: () => void): Promise<AsyncDisposable> {
    return this.#inner.subscribe((group, data) => this.isLosing || on(group, data), onGap);
  }
}

/** As many items as there are nodes. */
type OfEach<Count extends 1 | 2 | 3, Item> = { 1: [Item]; 2: [Item, Item]; 3: [Item, Item, Item] }[Count];

interface Nodes<Count extends 1 | 2 | 3> {
  readonly clock: TestClock;
  readonly groups: OfEach<Count, Groups>;
  readonly lines: OfEach<Count, LossyBroadcaster>;
  /** Whose presence has changed, as each was told. */
  readonly changed: OfEach<Count, string[]>;
}

/** Nodes on one clock, which have told each other what there is. */
async function nodes<Count extends 1 | 2 | 3>(count: Count): Promise<Nodes<Count>> {
  const clock = new TestClock();
  const lines: LossyBroadcaster[] = [];
  const changed: string[][] = [];
  const groups = Array.from({ length: count }, (_, index) => {
    const broadcaster = new LossyBroadcaster(lines[0]);
    const heard: string[] = [];
    lines.push(broadcaster);
    changed.push(heard);
    return new Groups({ broadcaster, presence: true, clock, onPresence: (name) => heard.push(`${index} ${name}`) });
  });
  await Promise.all(groups.map(({ ready }) => ready));
  await clock.advance(50);
  return { clock, groups, lines, changed } as Nodes<Count>;
}

const users = (groups: Groups, name = 'lobby'): Record<string, number> => Object.fromEntries(groups.presenceOf(name));

it('presence has the users of all nodes, each with the number of its channels, and no anonymous ones', async () => {
  const { clock, groups, changed } = await nodes(2);
  const [one, two] = groups;
  const second = memberOf('ann');
  one.add('lobby', memberOf('ann').channel);
  one.add('lobby', memberOf(null).channel);
  two.add('lobby', second.channel);
  two.add('lobby', memberOf('bob').channel);
  two.add('music', second.channel);
  await clock.advance(50);
  for (const each of [one, two]) expect([users(each), users(each, 'music')]).toEqual([{ ann: 2, bob: 1 }, { ann: 1 }]);
  second.end();
  await clock.advance(50);
  for (const each of [one, two]) expect([users(each), users(each, 'music')]).toEqual([{ ann: 1, bob: 1 }, {}]);
  expect(changed[0]).toEqual(expect.arrayContaining(['0 lobby', '0 music']));
});

it('a node that comes later learns who is there already', async () => {
  const { clock, groups, lines } = await nodes(1);
  const [one] = groups;
  one.add('lobby', memberOf('ann').channel);
  await clock.advance(50);
  const late = new Groups({ broadcaster: new LossyBroadcaster(lines[0]), presence: true, clock });
  await late.ready;
  await clock.advance(50);
  expect(users(late)).toEqual({ ann: 1 });
});

it('a node that leaves takes its users with it at once, one that dies after 20 seconds', async () => {
  const { clock, groups, lines } = await nodes(3);
  const [one, two, three] = groups;
  two.add('lobby', memberOf('bob').channel);
  three.add('lobby', memberOf('eve').channel);
  await clock.advance(50);
  await two.close();
  expect(users(one)).toEqual({ eve: 1 });
  lines[2].isLosing = true;
  await clock.advance(19_000);
  expect(users(one)).toEqual({ eve: 1 });
  await clock.advance(6_000);
  expect(users(one)).toEqual({});
});

it('a node that comes back when there was no other, and then dies, is missed as well', async () => {
  const { clock, groups, lines } = await nodes(2);
  const [one, two] = groups;
  two.add('lobby', memberOf('bob').channel);
  for (let time = 0; time < 2; time += 1) {
    lines[1].isLosing = false;
    await clock.advance(10_000);
    expect(users(one)).toEqual({ bob: 1 });
    lines[1].isLosing = true;
    await clock.advance(25_000);
    expect(users(one)).toEqual({});
  }
});

it('what a node has missed it asks for', async () => {
  const { clock, groups, lines } = await nodes(2);
  const [one, two] = groups;
  const ann = memberOf('ann');
  one.add('lobby', ann.channel);
  await clock.advance(50);
  lines[1].isLosing = true;
  ann.end();
  one.add('lobby', memberOf('eve').channel);
  await clock.advance(50);
  lines[1].isLosing = false;
  expect(users(two)).toEqual({ ann: 1 });
  await clock.advance(5_000);
  expect(users(two)).toEqual({ eve: 1 });
});

it('another node is asked for what was missed of it once a second at most', async () => {
  const { clock, lines } = await nodes(1);
  const another = new LossyBroadcaster(lines[0]);
  const asked: unknown[] = [];
  await another.subscribe(
    (_, data) => {
      const { kind, of } = JSON.parse(String(data)) as { kind: string; of?: string };
      if (kind === 'ask') asked.push(of);
    },
    () => undefined,
  );
  for (let half = 0; half < 4; half += 1) {
    await another.publish(presenceGroup, JSON.stringify({ node: 'x', kind: 'alive', at: 1 }));
    await clock.advance(500);
  }
  expect(asked).toEqual(['x', 'x']);
});

it('thousands of users arrive in parts', async () => {
  const { clock, groups, lines } = await nodes(1);
  const [one] = groups;
  for (let index = 0; index < 5_000; index += 1) one.add('lobby', memberOf(`user ${index}`).channel);
  await clock.advance(50);
  const late = new Groups({ broadcaster: new LossyBroadcaster(lines[0]), presence: true, clock });
  await late.ready;
  await clock.advance(50);
  expect(late.presenceOf('lobby').size).toBe(5_000);
});

it('what others say that is no presence is ignored', async () => {
  const { clock, groups, lines } = await nodes(1);
  const [one] = groups;
  const stranger = new LossyBroadcaster(lines[0]);
  for (const text of [
    '',
    'no JSON',
    '7',
    'null',
    '{}',
    '{"node":"x","kind":"change","at":1,"counts":[["lobby","eve",-1]]}',
    '{"node":"x","kind":"all","at":0.5,"counts":[]}',
  ]) {
    await stranger.publish('\u0000presence', text);
  }
  await stranger.publish('\u0000presence', Uint8Array.of(1));
  await clock.advance(50);
  expect(users(one)).toEqual({});
});

it('whom a channel counts for when it leaves is whom it counted for when it came, whoever speaks on it meanwhile', async () => {
  const { clock, groups } = await nodes(2);
  const [one, two] = groups;
  const stays = memberOf('ann');
  const later = memberOf(null);
  one.add('lobby', stays.channel);
  one.add('lobby', later.channel);
  Object.assign(later.channel, { user: { id: 'ann', isAuthenticated: true } });
  one.add('music', later.channel);
  Object.assign(later.channel, { user: { id: 'bob', isAuthenticated: true } });
  later.end();
  await clock.advance(50);
  for (const each of [one, two]) expect([users(each), users(each, 'music')]).toEqual([{ ann: 1 }, {}]);
});

it('nothing is told of who left and came back at once, nor of groups that have not changed', async () => {
  const { clock, groups, changed } = await nodes(2);
  const [one, two] = groups;
  const ann = memberOf('ann');
  one.add('lobby', ann.channel);
  one.add('music', memberOf('bob').channel);
  await clock.advance(50);
  for (const heard of changed) heard.length = 0;
  one.discard('lobby', ann.channel);
  one.add('lobby', ann.channel);
  await clock.advance(50);
  await clock.advance(10_000);
  expect(changed).toEqual([[], []]);
  expect(users(two)).toEqual({ ann: 1 });
});

it('a node that asks for all again tells of the groups alone that have changed', async () => {
  const { clock, groups, lines, changed } = await nodes(2);
  const [one, two] = groups;
  one.add('lobby', memberOf('ann').channel);
  one.add('music', memberOf('bob').channel);
  const eve = memberOf('eve');
  one.add('garden', eve.channel);
  await clock.advance(50);
  changed[1].length = 0;
  lines[1].isLosing = true;
  one.add('lobby', memberOf('dan').channel);
  eve.end();
  await clock.advance(50);
  lines[1].isLosing = false;
  await clock.advance(5_050);
  expect(changed[1].toSorted()).toEqual(['1 garden', '1 lobby']);
  expect([users(two), users(two, 'garden')]).toEqual([{ ann: 1, dan: 1 }, {}]);
});

it('what a node says to be all is all of it, where it tells of nothing to come', async () => {
  const { clock, groups, lines } = await nodes(1);
  const all = { node: 'another', kind: 'all', at: 7, counts: [['lobby', 'ann', 2]] };
  await new LossyBroadcaster(lines[0]).publish(presenceGroup, JSON.stringify(all));
  await clock.advance(50);
  expect(users(groups[0])).toEqual({ ann: 2 });
});

it('all nodes that ask at once, as after a gap, are answered once', async () => {
  const clock = new TestClock();
  const first = new MemoryBroadcaster();
  const told: string[] = [];
  await new MemoryBroadcaster({ joins: first }).subscribe(
    (_, data) => void told.push((JSON.parse(String(data)) as { kind: string }).kind),
    () => undefined,
  );
  const gaps: (() => void)[] = [];
  const groups = Array.from({ length: 10 }, () => {
    const inner = new MemoryBroadcaster({ joins: first });
    const broadcaster: Broadcaster = {
      publish: (group, data) => inner.publish(group, data),
      subscribe(on, onGap) {
        gaps.push(onGap);
        return inner.subscribe(on, onGap);
      },
    };
    return new Groups({ broadcaster, presence: true, clock });
  });
  await Promise.all(groups.map(({ ready }) => ready));
  await clock.advance(50);
  told.length = 0;
  for (const gap of gaps) gap();
  await clock.advance(50);
  expect([told.filter((kind) => kind === 'ask').length, told.filter((kind) => kind === 'all').length]).toEqual([10, 10]);
  await Promise.all(groups.map((each) => each.close()));
});

it('no message is longer than brokers carry, however long names and ids are', async () => {
  const clock = new TestClock();
  const first = new MemoryBroadcaster();
  const lengths: number[] = [];
  await new MemoryBroadcaster({ joins: first }).subscribe(
    (_, data) => void lengths.push(data.length),
    () => undefined,
  );
  const one = new Groups({ broadcaster: new MemoryBroadcaster({ joins: first }), presence: true, clock });
  for (let index = 0; index < 1_000; index += 1) one.add('x'.repeat(500) + index, memberOf('y'.repeat(500)).channel);
  await clock.advance(50);
  const two = new Groups({ broadcaster: new MemoryBroadcaster({ joins: first }), presence: true, clock });
  await Promise.all([one.ready, two.ready]);
  await clock.advance(50);
  expect(Math.max(...lengths)).toBeLessThan(100_000);
  expect(users(two, `${'x'.repeat(500)}999`)).toEqual({ ['y'.repeat(500)]: 1 });
});

it('closed groups tell nobody of presence, know nobody and leave no timer behind', async () => {
  const { clock, groups, changed } = await nodes(2);
  const [one, two] = groups;
  one.add('lobby', memberOf('ann').channel);
  two.add('lobby', memberOf('bob').channel);
  await clock.advance(50);
  changed[0].length = 0;
  await one.close();
  two.add('lobby', memberOf('eve').channel);
  await clock.advance(60_000);
  expect([changed[0], users(one), users(two)]).toEqual([[], {}, { bob: 1, eve: 1 }]);
  await two.close();
  expect(clock.pendingTimers).toBe(0);
});

it('presence of a node that has closed knows nobody of the others any more', async () => {
  const { clock, groups } = await nodes(2);
  const [one, two] = groups;
  two.add('lobby', memberOf('ann').channel);
  await clock.advance(50);
  expect(users(one)).toEqual({ ann: 1 });
  await one.close();
  expect(users(one)).toEqual({});
  await two.close();
});

it.each([12_000, 15_500, 21_000, 60_000])(
  'a node that was stopped for %i ms forgets nobody who is still there, and then those who are not',
  async (ms) => {
    const clock = new TestClock();
    const own = new StoppableClock(clock);
    const line = new LossyBroadcaster();
    const left: string[] = [];
    const onPresence = (_: string, change: { readonly left: readonly string[] }): unknown => left.push(...change.left);
    const one = new Groups({ broadcaster: line, presence: true, clock: own, onPresence });
    const others = ['bob', 'eve'].map((name) => {
      const otherLine = new LossyBroadcaster(line);
      const groups = new Groups({ broadcaster: otherLine, presence: true, clock });
      groups.add('lobby', memberOf(name).channel);
      return { groups, line: otherLine };
    });
    await Promise.all([one, ...others.map(({ groups }) => groups)].map(({ ready }) => ready));
    await clock.advance(7_000);
    own.isStopped = true;
    line.isLosing = true;
    await clock.advance(ms);
    own.resume();
    expect([users(one), left]).toEqual([{ bob: 1, eve: 1 }, []]);
    line.isLosing = false;
    others[1]!.line.isLosing = true;
    await clock.advance(30_000);
    expect([users(one), left]).toEqual([{ bob: 1 }, ['eve']]);
    await Promise.all([one, ...others.map(({ groups }) => groups)].map((groups) => groups.close()));
  },
);
