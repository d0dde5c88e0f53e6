import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ChannelServer, withChannelSession, withUserFromToken } from '../../../entries/index.js';
import { MemorySessionStore } from '../../../entries/memory.js';
import { connectTo, TestClock } from '../../../entries/testing.js';
import { deferred } from '../../support/deferred.js';
import { frame, RawClient, waysToLeave } from '../../support/raw-client.js';
import { modes, nextTurn, oneToken, serve } from '../../support/serving.js';
import { storeWith } from '../../support/store-with.js';

const cases = modes.flatMap((mode) =>
  (['FIN', 'RST'] as const).flatMap((way) => [
    { mode, way, frames: 'without frames', early: 0 },
    { mode, way, frames: 'with frames', early: 3 },
  ]),
);

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
  });
}

describe('a client that leaves while connect is pending', () => {
  it.each(cases)('aborts the signal of its connect handler, and leaves nothing ($mode, $way, $frames)', async ({ mode, way, early }) => {
    const store = new MemorySessionStore();
    const begun = deferred<AbortSignal>();
    const connecting = deferred();
    let received = 0;
    let disconnects = 0;
    const { port, channels, clock, errors } = await serve(
      {
        connect: withChannelSession(async ({ signal, channelSession, channel }) => {
          channelSession.set('left', 'behind');
          begun.resolve(signal);
          await connecting.promise;
          channelSession.set('too', 'late');
          channel.send('late');
        }),
        receive: () => {
          received += 1;
        },
        disconnect: () => {
          disconnects += 1;
        },
      },
      { mode, session: { store } },
    );
    const client = await RawClient.upgrade(port);
    const signal = await begun.promise;
    expect(signal.aborted).toBe(false);
    for (let index = 0; index < early; index += 1) client.write(frame('early'));
    waysToLeave[way](client);
    await aborted(signal);
    connecting.resolve();
    await nextTurn();
    await channels.close();
    expect(store.size).toBe(0);
    expect({ received, disconnects, errors }).toEqual({ received: 0, disconnects: 0, errors: [] });
    expect(channels.channels.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it.each(cases.filter(({ early }) => early === 0))(
    'is not connected by a look-up that answers late ($mode, $way)',
    async ({ mode, way }) => {
      const { tokens, cookie } = await oneToken();
      const asked = deferred();
      const answering = deferred();
      let connects = 0;
      const connect = withUserFromToken({
        tokens: {
          findById: async (id) => {
            asked.resolve();
            await answering.promise;
            return await tokens.findById(id);
          },
        },
      })(() => {
        connects += 1;
      });
      const store = new MemorySessionStore();
      const { port, channels, http } = await serve({ connect }, { mode, session: { store } });
      const connection = once(http, 'connection').then(([socket]) => socket as Socket);
      const client = await RawClient.upgrade(port, { headers: { cookie } });
      await asked.promise;
      const socket = await connection;
      const left = new Promise((resolve) => socket.once('close', resolve));
      waysToLeave[way](client);
      await left;
      answering.resolve();
      await channels.close();
      expect(connects).toBe(0);
      expect(store.size).toBe(0);
      expect(channels.channels.size).toBe(0);
    },
  );

  it('leaves no record where the store creates it late', async () => {
    const stored = new MemorySessionStore();
    const asked = deferred();
    const answering = deferred();
    const store = storeWith(stored, {
      create: async (id, session) => {
        asked.resolve();
        await answering.promise;
        await stored.create(id, session);
      },
    });
    const begun = deferred<AbortSignal>();
    let disconnects = 0;
    const { port, channels, clock } = await serve(
      {
        connect: withChannelSession(({ channelSession, signal }) => {
          channelSession.set('left', 'behind');
          begun.resolve(signal);
        }),
        disconnect: () => {
          disconnects += 1;
        },
      },
      { session: { store } },
    );
    const client = await RawClient.upgrade(port);
    await asked.promise;
    client.reset();
    await aborted(await begun.promise);
    answering.resolve();
    await channels.close();
    expect(stored.size).toBe(0);
    expect(disconnects).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is told of in connectTo too', async () => {
    const clock = new TestClock();
    const begun = deferred<{ readonly signal: AbortSignal; readonly channel: { terminate(): void } }>();
    let disconnects = 0;
    const channels = new ChannelServer(
      {
        connect: (message) => {
          begun.resolve(message);
          return new Promise(() => undefined);
        },
        disconnect: () => {
          disconnects += 1;
        },
      },
      { clock },
    );
    const connecting = connectTo(channels);
    const { signal, channel } = await begun.promise;
    channel.terminate();
    const client = await connecting;
    expect(signal.aborted).toBe(true);
    expect(client.closed?.code).toBe(1006);
    const closed = channels.close();
    await clock.advance(10_000); // its handler hangs
    await closed;
    expect(disconnects).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});
