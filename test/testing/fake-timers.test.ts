import { afterEach, expect, it, vi } from 'vitest';
import { ChannelServer, withChannelSession } from '../../entries/index.js';
import { connectTo, TestClock } from '../../entries/testing.js';

afterEach(() => void vi.useRealTimers());

/** Everything but what the runner itself needs. */
const allTimers = {
  toFake: [
    'setTimeout',
    'clearTimeout',
    'setInterval',
    'clearInterval',
    'setImmediate',
    'clearImmediate',
    'Date',
    'performance',
    'queueMicrotask',
  ],
} as const;

it('a client comes, speaks, leaves and is closed though a test has faked its timers, steps of the event loop included', async () => {
  vi.useFakeTimers({ toFake: [...allTimers.toFake] });
  const log: unknown[] = [];
  const channels = new ChannelServer({
    receive: withChannelSession(async (message) => {
      await Promise.resolve();
      message.channelSession.set('said', message.text);
      message.channel.send(message.text);
      if (message.text === 'close me') message.channel.close(4000);
    }),
    disconnect: ({ code }) => void log.push(code),
  });
  const [one, other, last] = [await connectTo(channels), await connectTo(channels), await connectTo(channels)];
  await Promise.all([one.send('a'), one.send('b')]);
  await one.disconnect();
  await other.send('close me');
  await channels.close();
  expect([one.sent, other.sent, last.closed?.code]).toEqual([['a', 'b'], ['close me'], 1012]);
  expect(log).toEqual([1000, 4000, 1012]);
});

it('a test that faked its timers leaves nothing behind in later tests: handlers have their time limit', async () => {
  vi.useFakeTimers();
  const earlier = await connectTo({ receive: () => Promise.resolve() });
  await earlier.send('while timers are faked');
  vi.useRealTimers();
  const clock = new TestClock();
  const client = await connectTo({ receive: () => new Promise(() => {}) }, { clock, handlerTimeoutMs: 1_000, onError: () => {} });
  const sending = client.send('never handled');
  await clock.advance(1_000);
  await sending;
  expect(client.closed?.code).toBe(1011);
});
