import { createHook } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import {
  ChannelServer,
  compose,
  type HasChannelSession,
  type ReceiveMessage,
  type SessionStore,
  tokenIdOf,
  withAuthenticatedUser,
  withChannelSession,
  withOrdering,
  withUserFromToken,
} from '../../../entries/index.js';
import { MemorySessionStore } from '../../../entries/memory.js';
import { connectTo, TestClock } from '../../../entries/testing.js';
import { nextTurn } from '../../support/serving.js';

const key = '4ac18618b19f1f03dc9055a4f13bddc04c0cf8bf';
const tokens = { findById: async () => ({ id: tokenIdOf(key), user: { id: 'ann', isAuthenticated: true as const } }) };

/** A store that counts what it is asked to do. */
function counting(clock: TestClock): { readonly store: SessionStore; readonly calls: string[]; readonly kept: MemorySessionStore } {
  const kept = new MemorySessionStore({ clock });
  const calls: string[] = [];
  const store: SessionStore = {
    load: (id) => {
      calls.push('load');
      return kept.load(id);
    },
    create: (id, session) => {
      calls.push('create');
      return kept.create(id, session);
    },
    save: (id, session, version) => {
      calls.push('save');
      return kept.save(id, session, version);
    },
    touch: (id, expiresAt) => {
      calls.push('touch');
      return kept.touch(id, expiresAt);
    },
    destroy: (id) => {
      calls.push('destroy');
      return kept.destroy(id);
    },
  };
  return { store, calls, kept };
}

describe('a message that leaves the session unchanged', () => {
  it('makes no promise on its way through four wrappers, and asks no store', async () => {
    const clock = new TestClock();
    const { store, calls } = counting(clock);
    let handled = 0;
    const wrap = compose(withOrdering, withUserFromToken({ tokens }), withChannelSession, withAuthenticatedUser);
    const channels = new ChannelServer(
      {
        connect: withUserFromToken({ tokens })(({ channelSession }) => channelSession.set('rooms', ['lobby'])),
        receive: wrap(({ user, channelSession, channel, text }) => {
          handled += 1;
          const [room] = channelSession.get('rooms') as readonly string[];
          channel.send(`${user.id} in ${String(room)}: ${text}`);
        }),
      },
      { clock, session: { store } },
    );
    const client = await connectTo(channels, { cookies: { key } });
    const { socket } = client.channel;
    const data = Buffer.from('hi');
    socket?.emit('message', data, false);
    calls.length = 0;
    let promises = 0;
    const hook = createHook({
      init: (_id, type) => {
        if (type === 'PROMISE') promises += 1;
      },
    }).enable();
    // the hook itself works: this one is counted
    const probe = Promise.resolve();
    for (let index = 0; index < 100; index += 1) socket?.emit('message', data, false);
    hook.disable();
    await probe;
    expect(promises).toBe(1);
    expect(handled).toBe(101);
    expect(client.sent).toHaveLength(101);
    expect(client.sent[100]).toBe('ann in lobby: hi');
    await nextTurn();
    expect(calls).toEqual([]);
    await channels.close();
  });

  it('is not written, and its record is touched once in a third of its time', async () => {
    const clock = new TestClock();
    const { store, calls } = counting(clock);
    const receive = withChannelSession(({ channelSession, text }: ReceiveMessage & HasChannelSession) => {
      if (text === 'write') channelSession.set('at', clock.now());
      if (text === 'same') channelSession.set('at', channelSession.get('at') as number);
    });
    const channels = new ChannelServer({ receive }, { clock, session: { store, ttlMs: 3_000 } });
    const client = await connectTo(channels);
    await client.send('write');
    expect(calls).toEqual(['create']);
    for (const text of ['read', 'same', 'read']) await client.send(text);
    expect(calls).toEqual(['create']);
    for (let second = 0; second < 12; second += 1) {
      await clock.advance(1_000);
      await client.send('read');
    }
    expect(calls.filter((call) => call === 'touch').length).toBeGreaterThanOrEqual(6);
    expect(calls.filter((call) => call === 'touch').length).toBeLessThanOrEqual(12);
    expect(new Set(calls)).toEqual(new Set(['create', 'touch']));
    await client.send('write'); // it is there after four times its time
    expect(calls.at(-1)).toBe('save');
    expect(client.closed).toBeUndefined();
    await client.disconnect();
    await channels.close();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a handler that throws after it has changed the session', () => {
  it('saves nothing, and memory and store agree', async () => {
    const clock = new TestClock();
    const { store, calls, kept } = counting(clock);
    const errors: unknown[] = [];
    const ids: string[] = [];
    const spied: SessionStore = {
      ...store,
      create: (id, session) => {
        ids.push(id);
        return store.create(id, session);
      },
      destroy: async () => void calls.push('destroy'),
    };
    const receive = withChannelSession(async ({ channelSession, text }: ReceiveMessage & HasChannelSession) => {
      channelSession.set('text', text);
      await nextTurn();
      if (text === 'bad') throw new Error('bad');
    });
    const channels = new ChannelServer({ receive }, { clock, session: { store: spied }, onError: (error) => errors.push(error) });
    const client = await connectTo(channels);
    await client.send('good');
    await client.send('bad');
    expect(calls).toEqual(['create', 'destroy']);
    expect(errors).toMatchObject([{ message: 'bad' }]);
    expect(client.channelSession.get('text')).toBe('good');
    expect((await kept.load(ids[0] as string))?.data).toEqual({ text: 'good' });
    expect(client.closed?.code).toBe(1011);
  });
});
