import { getEventListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ChannelServer, defineSource, identifyKey, tokenIdOf, withUserFrom } from '../../../entries/index.js';
import { connectTo, TestClock } from '../../../entries/testing.js';
import { modes, nextTurn, serve } from '../../support/serving.js';
import { codesOf } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';

const failure = new Error('a listener failed');
const fail = (): never => {
  throw failure;
};

const rejectLater = (): Promise<never> => Promise.reject(failure);

const ways: Readonly<Record<string, (signal: AbortSignal) => void>> = {
  'a function': (signal) => signal.addEventListener('abort', fail),
  'a function that is called once': (signal) => signal.addEventListener('abort', fail, { once: true }),
  'an object': (signal) => signal.addEventListener('abort', { handleEvent: fail }),
  'an async function': (signal) => signal.addEventListener('abort', rejectLater as () => void),
  'its onabort': (signal) => {
    signal.onabort = fail;
  },
};

it.each(Object.keys(ways).flatMap((way) => modes.map((mode) => ({ way, mode }))))(
  'a listener of message.signal that throws harms nobody and is reported ($way, $mode)',
  async ({ way, mode }) => {
    const { port, channels, errors } = await serve(
      {
        connect: ({ signal, channel }) => {
          ways[way]?.(signal);
          channel.send('ready');
        },
      },
      { mode },
    );
    const client = await WsClient.connect(port);
    await client.next();
    await client.close();
    await channels.close();
    await nextTurn();
    expect(errors).toEqual([failure]);
  },
);

it('message.signal is a signal like any other', async () => {
  const called: string[] = [];
  let signal = new AbortController().signal;
  const removed = (): void => void called.push('removed');
  const channels = new ChannelServer({
    connect: (message) => {
      ({ signal } = message);
      const listener = (): void => void called.push('twice');
      signal.addEventListener('abort', listener);
      signal.addEventListener('abort', listener);
      signal.addEventListener('abort', removed);
      signal.removeEventListener('abort', removed);
      signal.onabort = function onAbort(this: AbortSignal): void {
        called.push(`onabort ${this === signal}`);
      };
      expect(() => signal.addEventListener('abort', 5 as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
      signal.addEventListener('abort', null as never); // as on a page, it is nobody
      signal.removeEventListener('abort', null as never);
    },
  });
  const client = await connectTo(channels);
  expect(signal).toBeInstanceOf(AbortSignal);
  expect(getEventListeners(signal, 'abort')).toHaveLength(2);
  const waiting = wait(1_000_000, undefined, { signal }).catch((error: Error) => called.push(error.name));
  const any = AbortSignal.any([signal]);
  await client.disconnect();
  await waiting;
  expect(called).toEqual(['twice', 'onabort true', 'AbortError']);
  expect(any.aborted).toBe(true);
});

it.each(Object.entries(ways))('a listener of the signal of a look-up that throws harms nobody (%s)', async (_way, listen) => {
  const hang = (signal: AbortSignal): Promise<never> => {
    listen(signal);
    return new Promise(() => undefined);
  };
  const clock = new TestClock();
  const ann = { outcome: 'ok', user: { id: 'ann', isAuthenticated: true }, tokenId: tokenIdOf('a'.repeat(16)) } as const;
  const own = defineSource('own', () => ann, {
    recheck: (_found, { signal }) => hang(signal),
    findByKey: (_key, { signal }) => hang(signal),
    revalidate: { everyMs: 1_000 },
  });
  const errors: unknown[] = [];
  const channels = new ChannelServer({ connect: withUserFrom(own)(() => undefined) }, { clock, onError: (error) => errors.push(error) });
  const client = await connectTo(channels);
  await clock.advance(10_000);
  await expect(identifyKey('a'.repeat(16), { source: own, timeoutMs: 1 })).rejects.toMatchObject({ code: 'ERR_LOOKUP_TIMEOUT' });
  await nextTurn();
  expect([client.closed, codesOf(errors)[0]]).toEqual([undefined, 'ERR_LOOKUP_TIMEOUT']);
  await client.disconnect();
  await channels.close();
});
