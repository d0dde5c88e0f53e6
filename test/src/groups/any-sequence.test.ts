import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Broadcaster, Groups, type PresenceChange } from '../../../entries/index.js';
import { MemoryBroadcaster } from '../../../entries/memory.js';
import { TestClock } from '../../../entries/testing.js';
import { expectProcessToLive } from '../../support/site.js';
import { type Member, memberOf } from './member.js';

expectProcessToLive();

const names = ['lobby', 'music'] as const;
const users = ['ann', 'bob', null] as const;
const node = fc.nat(1);
const turns = fc.nat(2);
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ does: fc.constantFrom('join', 'leave', 'end'), member: fc.nat(5), name: fc.constantFrom(...names), turns }),
  },
  { weight: 3, arbitrary: fc.record({ does: fc.constantFrom('cut off', 'fall silent', 'recover'), node, turns }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('wait'), ms: fc.constantFrom(10, 6_000, 25_000), turns }) },
);
const plan = fc.record({
  /** What an application does when it is told who came and left. */
  reaction: fc.constantFrom('nothing', 'joins another', 'leaves', 'ends one', 'throws'),
  steps: fc.array(step, { maxLength: 30, size: 'max' }),
});
type Plan = typeof plan extends fc.Arbitrary<infer Value> ? Value : never;
type Step = Plan['steps'][number];

/** One process, whose line to the others may fail, or lose what it takes. */
class Node {
  readonly members: Member[] = users.map(memberOf);
  readonly said = new Map<string, Set<string>>(names.map((name) => [name, new Set()]));
  readonly mistakes: string[] = [];
  readonly groups: Groups;
  line: 'whole' | 'cut off' | 'fall silent' = 'whole';
  readonly #reaction: Plan['reaction'];

  constructor(inner: MemoryBroadcaster, clock: TestClock, reaction: Plan['reaction']) {
    this.#reaction = reaction;
    const broadcaster: Broadcaster = {
      publish: async (group, data) => {
        if (this.line === 'cut off') throw new Error('cut off');
        if (this.line === 'whole') await inner.publish(group, data);
      },
      subscribe: (on, onGap) => inner.subscribe((group, data) => this.line === 'whole' && on(group, data), onGap),
    };
    const onPresence = (name: string, change: PresenceChange): void => this.#told(name, change);
    const ignored = (): void => undefined;
    this.groups = new Groups({ broadcaster, presence: true, clock, onPresence, onError: ignored, onWarning: ignored });
  }

  #told(name: string, { came, left }: PresenceChange): void {
    const said = this.said.get(name) as Set<string>;
    for (const user of came) {
      if (said.has(user)) this.mistakes.push(`${user} came twice`);
      said.add(user);
    }
    for (const user of left) if (!said.delete(user)) this.mistakes.push(`${user} left, who was not there`);
    this.#react(name);
  }

  #react(name: string): void {
    const [first] = this.groups.membersOf(name);
    if (this.#reaction === 'joins another' && first !== undefined) this.groups.add('music', first);
    if (this.#reaction === 'leaves' && first !== undefined) this.groups.discard(name, first);
    if (this.#reaction === 'ends one') this.members.find(({ channel }) => channel === first)?.end();
    if (this.#reaction === 'throws') throw new Error('of an application');
  }
}

async function take(nodes: readonly Node[], clock: TestClock, one: Step): Promise<void> {
  if ('ms' in one) await clock.advance(one.ms);
  else if ('node' in one) (nodes[one.node] as Node).line = one.does === 'recover' ? 'whole' : one.does;
  else {
    const { groups, members } = nodes[one.member % 2] as Node;
    const place = Math.floor(one.member / 2);
    const member = members[place] as Member;
    if (one.does === 'join') groups.add(one.name, member.channel);
    else if (one.does === 'leave') groups.discard(one.name, member.channel);
    else {
      member.end();
      expect([groups.add(one.name, member.channel), groups.groupsOf(member.channel)]).toEqual([false, []]);
      members[place] = memberOf(users[place] as string | null); // another one comes
    }
  }
  for (let left = one.turns; left > 0; left -= 1) await nextTurn();
}

/** How many channels each user has in a group, on all nodes. */
function channelsIn(nodes: readonly Node[], name: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { groups } of nodes)
    for (const { user } of groups.membersOf(name)) if (user.id !== null) counts[user.id] = (counts[user.id] ?? 0) + 1;
  return counts;
}

async function run({ reaction, steps }: Plan): Promise<void> {
  const clock = new TestClock();
  const joins = new MemoryBroadcaster();
  const nodes = [joins, new MemoryBroadcaster({ joins })].map((broadcaster) => new Node(broadcaster, clock, reaction));
  for (const { groups } of nodes) await groups.ready;
  for (const one of steps) await take(nodes, clock, one);
  for (const each of nodes) each.line = 'whole';
  await clock.advance(45_000);
  for (const { groups, said, mistakes } of nodes) {
    expect(mistakes).toEqual([]);
    for (const name of names) {
      expect(groups.membersOf(name).filter(({ signal }) => signal.aborted)).toEqual([]);
      const there = channelsIn(nodes, name);
      expect(Object.fromEntries(groups.presenceOf(name))).toEqual(there);
      expect([...(said.get(name) as Set<string>)].sort()).toEqual(Object.keys(there).sort());
    }
  }
  for (const { groups } of nodes) await groups.close();
  expect(clock.pendingTimers).toBe(0);
}

it('whatever happens, and in whatever order: all nodes agree on who is there, and each user was said to come and to leave once', async () => {
  await fc.assert(fc.asyncProperty(plan, run), { numRuns: 100 });
});
