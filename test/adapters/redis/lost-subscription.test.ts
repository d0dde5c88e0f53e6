import { describe, expect, it, vi } from 'vitest';
import { RedisSubscription } from '../../../adapters/redis/subscription.js';
import { TestClock } from '../../../entries/testing.js';

type Listener = { message(data: Buffer): void; ended(error: Error): void };

/** A subscription on connections that a test makes and breaks. */
function subscribing(open: (number: number) => void = () => undefined) {
  const clock = new TestClock();
  const listeners: Listener[] = [];
  const connections: { readonly ping: () => Promise<unknown>; readonly close: ReturnType<typeof vi.fn> }[] = [];
  const told: string[] = [];
  const operations = {
    clock,
    run: (_what: string, run: (signal: AbortSignal) => Promise<unknown>) => run(new AbortController().signal),
    gateway: {
      async listen(_channel: string, listener: Listener) {
        const connection = { ping: vi.fn(async () => 'PONG'), close: vi.fn() };
        listeners.push(listener);
        open(listeners.length);
        connections.push(connection);
        return connection;
      },
    },
  };
  const subscription = new RedisSubscription(operations as never, 'channel', {
    message: (data) => void told.push(String(data)),
    gap: () => void told.push('gap'),
    failed: (error) => void told.push((error as Error).message),
  });
  return { clock, listeners, connections, told, subscription };
}

describe('a subscription whose connection is lost', () => {
  it('comes back soon, before any ping would notice, and says that something was missed', async () => {
    const { clock, listeners, connections, told, subscription } = subscribing();
    await subscription.open();
    listeners[0]?.message(Buffer.from('one'));
    listeners[0]?.ended(new Error('lost'));
    expect(told).toEqual(['one']);
    await clock.advance(50);
    expect([listeners.length, told]).toEqual([2, ['one', 'gap']]);
    listeners[0]?.ended(new Error('lost again')); // of a connection that is not its own any more
    await clock.advance(5_000);
    expect(listeners.length).toBe(2);
    subscription.close();
    expect([connections[1]?.close.mock.calls.length, clock.pendingTimers]).toEqual([1, 0]);
  });

  it('while it is opened cannot be opened, with that error', async () => {
    const all = subscribing(() => all.listeners.at(-1)?.ended(new Error('lost at once')));
    await expect(all.subscription.open()).rejects.toThrow('lost at once');
    expect(all.clock.pendingTimers).toBe(0);
  });

  it('is tried for half as often each time, and says of each attempt that it failed', async () => {
    const { clock, listeners, told, subscription } = subscribing((number) => {
      if (number > 1) throw new Error('down');
    });
    await subscription.open();
    listeners[0]?.ended(new Error('lost'));
    await clock.advance(50 + 100 + 200);
    expect(told).toEqual(['down', 'down', 'down']); // at the earliest the fourth would come after 25 + 50 + 100 + 200 ms
    subscription.close();
    expect(clock.pendingTimers).toBe(0);
  });
});
