import { afterEach, describe, expect, it, vi } from 'vitest';
import { defineSource, withChannelUser, withUserFrom } from '../../entries/index.js';
import { connectTo } from '../../entries/testing.js';

// What jsdom and happy-dom put in the place of globals, where a project runs all its tests in such an environment.

/** Not an `EventTarget` of Node, for which `events.setMaxListeners` would take it. */
class SimulatedSignal {
  readonly #listeners = new Set<(event: object) => void>();
  aborted = false;
  onabort: unknown = null;

  addEventListener(_type: string, listener: (event: object) => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: string, listener: (event: object) => void): void {
    this.#listeners.delete(listener);
  }

  abort(): void {
    this.aborted = true;
    for (const listener of this.#listeners) listener({ type: 'abort' });
  }
}

class SimulatedController {
  readonly signal = new SimulatedSignal();

  abort(): void {
    this.signal.abort();
  }
}

afterEach(() => void vi.unstubAllGlobals());

describe('in a simulated browser', () => {
  it('signals of messages and look-ups take listeners, and tell them that the client has left', async () => {
    vi.stubGlobal('AbortController', SimulatedController);
    const log: string[] = [];
    const source = defineSource('own', async (_request, { signal }) => {
      signal.addEventListener('abort', () => log.push('look-up'));
      return { outcome: 'ok', user: { id: 'ada', isAuthenticated: true } };
    });
    const client = await connectTo({
      connect: withUserFrom(source)(() => {}),
      receive: withChannelUser(({ signal, channel, user }) => {
        signal.addEventListener('abort', () => log.push('message'));
        channel.send(`${user.id}, ${signal.aborted}`);
      }),
    });
    await client.send('x');
    expect([client.sent, log]).toEqual([['ada, false'], []]);
    await client.disconnect();
    expect(log).toEqual(['look-up', 'message']);
  });

  it('timers are numbers', async () => {
    const { setTimeout, clearTimeout } = globalThis;
    const timers: NodeJS.Timeout[] = [];
    vi.stubGlobal('setTimeout', (fn: () => void, ms: number) => timers.push(setTimeout(fn, ms)));
    vi.stubGlobal('clearTimeout', (timer: number) => clearTimeout(timers[timer - 1]));
    const client = await connectTo({ connect: () => new Promise<void>((resolve) => queueMicrotask(resolve)), receive: () => {} });
    await client.send('x');
    await client.disconnect();
    expect(client.closed?.code).toBe(1000);
  });
});
