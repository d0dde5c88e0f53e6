import { expect, it } from 'vitest';
import { connectTo } from '../../../entries/testing.js';
import { Memberships } from '../../../src/groups/memberships.js';
import { collectGarbage } from '../../support/collect-garbage.js';

const come = () => connectTo({ connect: () => undefined });

it('nothing is kept of a group that nobody is in any more, nor of a channel that is in none', async () => {
  const memberships = new Memberships(undefined);
  const [nobody, nowhere] = [memberships.membersOf('never'), memberships.groupsOf((await come()).channel)];
  const [ann, bob] = [await come(), await come()];
  for (const { channel } of [ann, bob]) memberships.add('lobby', channel);
  memberships.discard('lobby', ann.channel);
  expect([...memberships.membersOf('lobby')]).toEqual([bob.channel]);
  expect(memberships.groupsOf(ann.channel)).toBe(nowhere);
  await bob.disconnect();
  expect(memberships.membersOf('lobby')).toBe(nobody);
  expect(memberships.groupsOf(bob.channel)).toBe(nowhere);
});

it('nothing is kept of groups that a channel has left, however long it lives on', async () => {
  const { channel } = await come();
  const visited = (): WeakRef<Memberships> => {
    const memberships = new Memberships(undefined);
    memberships.add('lobby', channel);
    memberships.discard('lobby', channel);
    return new WeakRef(memberships);
  };
  const left = visited();
  await collectGarbage();
  expect(left.deref()).toBeUndefined();
  expect(channel.signal.aborted).toBe(false);
});
