import { expect, it } from 'vitest';
import { type ChannelEvent, ChannelServer, defineSource, Groups, tokenIdOf, withUserFrom } from '../../entries/index.js';
import { connectTo, TestClock } from '../../entries/testing.js';
import { shortDigestOf } from '../../src/events.js';
import { expectProcessToLive } from '../support/site.js';

expectProcessToLive();

const boom = (): never => {
  throw new Error('a getter threw');
};

it.each<[string, PropertyDescriptorMap]>([
  ['its id is deleted', { id: { value: undefined } }],
  ['its id is null', { id: { value: null } }],
  ['its id is a number', { id: { value: 5 } }],
  ['its id is another one', { id: { value: 'bob' } }],
  ['its id cannot be read any more', { id: { get: boom } }],
  ['it is authenticated no more', { isAuthenticated: { value: false } }],
  ['nothing of it can be read any more', { id: { get: boom }, isAuthenticated: { get: boom } }],
])('channels are told of, counted and ended by the id that was identified, though %s', async (_how, changes) => {
  const clock = new TestClock();
  const errors: unknown[] = [];
  const told: unknown[] = [];
  const ann = { id: 'ann', isAuthenticated: true } as const;
  const own = defineSource('own', () => ({ outcome: 'ok', user: ann, tokenId: tokenIdOf('a'.repeat(16)) }), {
    recheck: () => ({ outcome: 'ok' }),
    revalidate: { everyMs: 1_000 },
  });
  const onError = (error: unknown): unknown => errors.push(error);
  const groups = new Groups({ presence: true, clock, onError });
  const connect = withUserFrom(own)(({ channel, user }) => {
    groups.add('before', channel);
    Object.defineProperties(user, changes);
    groups.add('after', channel);
  });
  const onEvent = (event: ChannelEvent): void => {
    if ('userDigest' in event) told.push([event.type, event.userDigest]);
  };
  const server = new ChannelServer({ connect, disconnect: () => undefined }, { clock, onError, onEvent, maxChannelsPerUser: 1 });
  const client = await connectTo(server);
  await clock.advance(5_000);
  expect(client.closed).toBeUndefined();
  expect(['before', 'after'].map((name) => [...groups.presenceOf(name)])).toEqual([[['ann', 1]], [['ann', 1]]]);
  expect(server.channels.ofUser('ann')).toHaveLength(1);
  await client.disconnect();
  expect([server.channels.size, groups.sizeOf('after')]).toEqual([0, 0]);
  const digest = shortDigestOf('ann');
  expect(told).toEqual(['identification', 'handshake', 'close'].map((type) => [type, digest]));
  await server.close();
  await groups.close();
  expect([errors, clock.pendingTimers]).toEqual([[], 0]);
});
