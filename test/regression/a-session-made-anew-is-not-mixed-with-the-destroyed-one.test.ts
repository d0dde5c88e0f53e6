import { expect, it, vi } from 'vitest';
import { ChannelServer, type ReceiveMessage, withChannelUser, withUserFromToken } from '../../entries/index.js';
import { MemorySessionStore } from '../../entries/memory.js';
import { connectTo, TestClock } from '../../entries/testing.js';
import { oneToken } from '../support/serving.js';
import { codesOf } from '../support/site.js';

it('a channel of a destroyed session writes nothing into the one that another channel has made since', async () => {
  const { tokens, key } = await oneToken();
  const clock = new TestClock();
  const store = new MemorySessionStore({ clock });
  const create = vi.spyOn(store, 'create');
  const errors: unknown[] = [];
  const server = new ChannelServer(
    {
      connect: withUserFromToken({ tokens })(() => undefined),
      receive: withChannelUser((message) => message.channelSession.set((message as unknown as ReceiveMessage).text, true)),
    },
    { clock, session: { store, scope: 'user' }, onError: (error) => errors.push(error) },
  );
  const early = await connectTo(server, { cookies: { key } });
  await early.send('first');
  await early.send('second');
  const id = create.mock.calls[0]?.[0] as string;
  await store.destroy(id);
  await clock.advance(1);
  const late = await connectTo(server, { cookies: { key } });
  await late.send('fresh');
  await early.send('third');
  expect(codesOf(errors)).toEqual(['ERR_SESSION_GONE']);
  expect(early.closed?.code).toBe(1011);
  expect((await store.load(id))?.data).toEqual({ fresh: true });
});
