import { expect, it, vi } from 'vitest';
import { Groups, type PresenceChange } from '../../../entries/index.js';
import { MemoryBroadcaster } from '../../../entries/memory.js';
import { TestClock } from '../../../entries/testing.js';
import { type Member, memberOf } from './member.js';

/** A node of a fleet, which says who comes and who goes. */
class Node {
  readonly said: [name: string, came: readonly string[], left: readonly string[]][] = [];
  readonly broadcaster: MemoryBroadcaster;
  readonly groups: Groups;
  /** Whether what the others say is lost. */
  isDeaf = false;
  /** Which of it is. */
  loses: (data: string) => boolean = () => false;

  constructor(clock: TestClock, joins?: MemoryBroadcaster) {
    this.broadcaster = new MemoryBroadcaster(joins === undefined ? {} : { joins });
    this.groups = new Groups({
      broadcaster: {
        publish: (group, data) => this.broadcaster.publish(group, data),
        subscribe: (on, onGap) =>
          this.broadcaster.subscribe((group, data) => this.isDeaf || this.loses(String(data)) || on(group, data), onGap),
      },
      presence: true,
      clock,
      onPresence: (name, { came, left }) => void this.said.push([name, came, left]),
    });
  }

  /** Puts a channel of a user into a group. */
  add(id: string | null, name = 'lobby'): Member {
    const member = memberOf(id);
    this.groups.add(name, member.channel);
    return member;
  }

  /** What was said since the last time. */
  news(): Node['said'] {
    return this.said.splice(0);
  }
}

async function fleet(): Promise<{ clock: TestClock; one: Node; two: Node; settle: (ms?: number) => Promise<void> }> {
  const clock = new TestClock();
  const one = new Node(clock);
  const two = new Node(clock, one.broadcaster);
  await Promise.all([one.groups.ready, two.groups.ready]);
  const settle = (ms = 50): Promise<void> => clock.advance(ms);
  await settle();
  return { clock, one, two, settle };
}

/** Ann is on the first node, which both have been told. */
async function fleetWithAnn(): Promise<Awaited<ReturnType<typeof fleet>> & { ann: Member }> {
  const nodes = await fleet();
  const ann = nodes.one.add('ann');
  await nodes.settle();
  nodes.one.news();
  nodes.two.news();
  return { ...nodes, ann };
}

it('a user comes with the first channel and leaves with the last, on whatever nodes they are', async () => {
  const { one, two, settle } = await fleet();
  const first = one.add('ann');
  await settle();
  for (const node of [one, two]) expect(node.news()).toEqual([['lobby', ['ann'], []]]);
  const second = two.add('ann');
  await settle();
  first.end();
  await settle();
  for (const node of [one, two]) expect(node.news()).toEqual([]);
  second.end();
  await settle();
  for (const node of [one, two]) expect(node.news()).toEqual([['lobby', [], ['ann']]]);
});

it('those who come and leave within a moment are told of together, group by group, and anonymous members not at all', async () => {
  const { one, two, settle, ann } = await fleetWithAnn();
  ann.end();
  one.add('bob');
  one.add('eve');
  one.add('bob', 'music');
  one.add(null);
  await settle();
  for (const node of [one, two]) {
    expect(node.news()).toEqual([
      ['lobby', ['bob', 'eve'], ['ann']],
      ['music', ['bob'], []],
    ]);
  }
});

it('who left and came back at once has not moved', async () => {
  const { one, two, settle, ann } = await fleetWithAnn();
  ann.end();
  one.add('ann');
  await settle(10_000);
  for (const node of [one, two]) expect(node.news()).toEqual([]);
});

it('who moves from one node to the other stays, and has left when the other loses them before it has told of them', async () => {
  const { one, two, settle } = await fleet();
  const there = two.add('ann');
  await settle();
  one.news();
  there.end();
  await settle(20);
  const brief = one.add('ann');
  await settle(40);
  expect(one.news()).toEqual([]);
  brief.end();
  await settle();
  expect(one.news()).toEqual([['lobby', [], ['ann']]]);
  expect(one.groups.presenceOf('lobby')).toEqual(new Map());
});

it('the users of a node that is not heard any more leave once, and come again when it is heard', async () => {
  const { one, two, settle } = await fleet();
  two.add('ann');
  await settle();
  one.news();
  one.isDeaf = true;
  await settle(19_999);
  expect([one.news(), one.groups.presenceOf('lobby').size]).toEqual([[], 1]);
  await settle(1);
  expect([one.news(), one.groups.presenceOf('lobby').size]).toEqual([[['lobby', [], ['ann']]], 0]);
  one.isDeaf = false;
  await settle(6_000);
  expect(one.news()).toEqual([['lobby', ['ann'], []]]);
});

it('what was missed is told of when it is known, as changes of what was said before', async () => {
  const { one, two, settle } = await fleet();
  const ann = two.add('ann');
  two.add('bob');
  await settle();
  one.news();
  one.isDeaf = true;
  ann.end();
  two.add('eve');
  await settle();
  one.isDeaf = false;
  await settle(6_000);
  expect(one.news()).toEqual([['lobby', ['eve'], ['ann']]]);
});

it('what a listener throws or rejects with goes to onError, and keeps nobody from hearing of other groups', async () => {
  const clock = new TestClock();
  const onError = vi.fn<(error: unknown) => void>();
  const heard: [string, PresenceChange][] = [];
  const groups = new Groups({
    presence: true,
    clock,
    onError,
    async onPresence(name, change) {
      heard.push([name, change]);
      throw new Error(name);
    },
  });
  groups.add('lobby', memberOf('ann').channel);
  groups.add('music', memberOf('ann').channel);
  await clock.advance(50);
  expect(heard.map(([name]) => name)).toEqual(['lobby', 'music']);
  expect(onError).toHaveBeenCalledTimes(2);
  await groups.close();
});

it('users who are in the later parts of what a node tells again have not left', async () => {
  const { one, two, settle } = await fleet();
  const long = 'x'.repeat(20_000); // three of them fill a part
  for (let index = 0; index < 8; index += 1) one.add(long + index);
  await settle();
  two.news();
  two.isDeaf = true;
  one.add('ann');
  await settle();
  two.isDeaf = false;
  await settle(6_000);
  expect(two.news()).toEqual([['lobby', ['ann'], []]]);
  expect(two.groups.presenceOf('lobby').size).toBe(9);
});

it('users are there until all is known anew, also where a part of it is lost', async () => {
  const { clock, one, two, settle } = await fleet();
  const long = 'x'.repeat(20_000);
  const members = Array.from({ length: 8 }, (_, index) => one.add(long + index));
  await settle();
  two.news();
  const late = new Node(clock, one.broadcaster); // asks, and so all is told
  await late.groups.ready;
  let parts = 0;
  const lost = [1, 3]; // the change, and then a part of all
  two.loses = (data) => data.includes('"counts"') && lost.includes(++parts);
  members[0]?.end();
  await settle();
  expect(two.groups.presenceOf('lobby').size).toBe(8);
  await settle(6_000);
  expect(two.news()).toEqual([['lobby', [], [`${long}0`]]]);
  expect(two.groups.presenceOf('lobby').size).toBe(7);
});

it('a listener that closes the groups is told of nothing more', async () => {
  const clock = new TestClock();
  const told: string[] = [];
  const groups = new Groups({
    presence: true,
    clock,
    onPresence(name) {
      told.push(name);
      return groups.close();
    },
  });
  for (const name of ['lobby', 'music']) groups.add(name, memberOf('ann').channel);
  await clock.advance(50);
  expect(told).toEqual(['lobby']);
});
