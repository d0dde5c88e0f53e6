import { expect, it } from 'vitest';
import { connectTo } from '../../../entries/testing.js';
import { Memberships } from '../../../src/groups/memberships.js';

it('nothing is kept of a group that nobody is in any more, nor of a channel that is in none', async () => {
  const memberships = new Memberships(undefined);
  const [nobody, nowhere] = [memberships.membersOf('never'), memberships.groupsOf((await connectTo({})).channel)];
  const [ann, bob] = [await connectTo({}), await connectTo({})];
  for (const { channel } of [ann, bob]) memberships.add('lobby', channel);
  memberships.discard('lobby', ann.channel);
  expect([...memberships.membersOf('lobby')]).toEqual([bob.channel]);
  expect(memberships.groupsOf(ann.channel)).toBe(nowhere);
  await bob.disconnect();
  expect(memberships.membersOf('lobby')).toBe(nobody);
  expect(memberships.groupsOf(bob.channel)).toBe(nowhere);
});
