import { getEventListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ChannelServer } from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { WsClient } from '../../support/ws-client.js';
import { modes, nextTurn, serve } from '../server/serving.js';

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
      expect(() => signal.addEventListener('abort', 5 as never)).toThrow(TypeError);
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
