import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  type BaseMessage,
  type ChannelSession,
  ClientError,
  type HasChannelSession,
  withChannelSession,
  withClientErrors,
} from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { deferred } from '../../support/deferred.js';
import { expectProcessToLive, makeSite, thrownBy } from '../../support/site.js';

expectProcessToLive();

type Message = BaseMessage & HasChannelSession;

/** Each way in which a message comes to its end. */
const endings: readonly [string, (message: Message) => unknown][] = [
  ['succeeded', () => undefined],
  ['succeeded with a change', ({ channelSession }) => channelSession.set('early', true)],
  ['succeeded later', () => nextTurn()],
  [
    'failed',
    () => {
      throw new Error('no');
    },
  ],
  ['failed later', () => nextTurn().then(() => Promise.reject(new Error('no')))],
  [
    'told the client of an error',
    () => {
      throw new ClientError('full');
    },
  ],
];

describe('the session of a message that has', () => {
  it.each(endings)('%s takes no change any more, with a store and without', async (_name, handler) => {
    for (const withStore of [true, false]) {
      const site = makeSite();
      let session: ChannelSession | undefined;
      const receive = withClientErrors(
        withChannelSession((message) => {
          session = message.channelSession;
          return handler(message);
        }),
      );
      const client = await connectTo({ receive }, { ...site.options, ...(withStore ? { session: { store: site.store } } : {}) });
      await client.send('x');
      const over = session as ChannelSession;
      for (const change of [
        () => over.set('late', 1),
        () => over.delete('early'),
        () => over.update('late', () => 1),
        () => Object.assign(over, { late: 1 }),
      ]) {
        expect(thrownBy(change)).toBeInstanceOf(TypeError);
      }
      await expect(over.reload()).rejects.toThrow(TypeError);
      expect([over.get('late'), over.has('late')]).toEqual([undefined, false]);
    }
  });

  it('connected, or disconnected, takes none either', async () => {
    const sessions: ChannelSession[] = [];
    const keep = withChannelSession((message) => void sessions.push(message.channelSession));
    const client = await connectTo({ connect: keep, disconnect: keep });
    await client.disconnect();
    expect(sessions).toHaveLength(2);
    for (const session of sessions) expect(() => session.set('late', 1)).toThrow(TypeError);
  });

  it('run out of its time to connect takes none while its handler goes on', async () => {
    const site = makeSite();
    const gate = deferred();
    const caught: unknown[] = [];
    const connect = withChannelSession(async (message) => {
      await gate.promise;
      try {
        message.channelSession.set('late', 1);
      } catch (error) {
        caught.push(error);
      }
    });
    const connecting = connectTo({ connect }, site.options);
    await site.clock.advance(5_000);
    expect((await connecting).refusal).toEqual({ status: 408 });
    gate.resolve();
    await nextTurn();
    expect(caught[0]).toBeInstanceOf(TypeError);
  });

  it('ended takes none where a wrapper gives it only afterwards', async () => {
    const late = deferred<unknown>();
    const inner = withChannelSession((message) => message.channelSession.set('late', 1));
    const receive = (message: BaseMessage): void => {
      void nextTurn().then(() => late.resolve(thrownBy(() => inner(message))));
    };
    const client = await connectTo({ receive, connect: withChannelSession(() => undefined) });
    await client.send('x');
    expect(await late.promise).toBeInstanceOf(TypeError);
    expect(client.channelSession.has('late')).toBe(false);
  });

  it('begun to be saved takes none while the store is at it', async () => {
    const site = makeSite();
    const saving = deferred();
    const stored: unknown[] = [];
    site.store.create = async (_id, session) => {
      stored.push(session.data);
      await saving.promise;
    };
    let session: ChannelSession | undefined;
    const receive = withChannelSession((message) => {
      session = message.channelSession;
      session.set('a', 1);
    });
    const client = await connectTo({ receive }, { ...site.options, session: { store: site.store } });
    const sent = client.send('x');
    await nextTurn();
    expect(stored).toEqual([{ a: 1 }]);
    expect(() => session?.set('b', 2)).toThrow(TypeError);
    saving.resolve();
    await sent;
    expect(JSON.stringify(client.channelSession)).toBe('{"a":1}');
  });
});

it('a connect handler that goes on after its channel has ended opens no session that nobody would end', async () => {
  const site = makeSite();
  const gate = deferred();
  const outcome = deferred<unknown>();
  const inner = withChannelSession(() => undefined);
  const connect = async (message: BaseMessage): Promise<void> => {
    await gate.promise;
    outcome.resolve(await Promise.resolve().then(() => thrownBy(() => inner(message))));
  };
  const connecting = connectTo({ connect }, { ...site.options, session: { store: site.store } });
  await site.clock.advance(5_000);
  await connecting;
  gate.resolve();
  expect(await outcome.promise).toMatchObject({ code: 'ERR_CHANNEL_CLOSED' });
  await nextTurn();
  expect(site.clock.pendingTimers).toBe(0);
});
