import { expect, it } from 'vitest';
import { ChannelServer, type SessionStore, withChannelUser, withUserFromToken } from '../../entries/index.js';
import { MemorySessionStore } from '../../entries/memory.js';
import { connectTo } from '../../entries/testing.js';
import { nextTurn, oneToken } from '../support/serving.js';
import { codesOf } from '../support/site.js';
import { storeWith } from '../support/store-with.js';

const channelCount = 120;

/** `store`, a turn of the event loop away, so that writers meet. */
function remote(store: SessionStore): SessionStore {
  return storeWith(store, {
    load: async (id) => nextTurn().then(() => store.load(id)),
    create: async (id, session) => nextTurn().then(() => store.create(id, session)),
    save: async (id, session, version) => nextTurn().then(() => store.save(id, session, version)),
  });
}

it('120 channels of one user that update one value at once all have their way', async () => {
  const { tokens, key } = await oneToken();
  const errors: unknown[] = [];
  const server = new ChannelServer(
    {
      connect: withUserFromToken({ tokens })(() => undefined),
      receive: withChannelUser((message) => message.channelSession.update('count', (count) => Number(count ?? 0) + 1)),
    },
    { session: { store: remote(new MemorySessionStore()), scope: 'user' }, onError: (error) => errors.push(error) },
  );
  const clients = await Promise.all(Array.from({ length: channelCount }, () => connectTo(server, { cookies: { key } })));
  await Promise.all(clients.map((client) => client.send('one more')));
  expect(codesOf(errors)).toEqual([]);
  const later = await connectTo(server, { cookies: { key } });
  expect(later.channelSession.get('count')).toBe(channelCount);
});
