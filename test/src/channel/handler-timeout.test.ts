import { describe, expect, it, vi } from 'vitest';
import { ChannelServer, type HasChannelSession, type ReceiveMessage, withChannelSession, withOrdering } from '../../../entries/index.js';
import { MemorySessionStore } from '../../../entries/memory.js';
import { connectTo, TestClock } from '../../../entries/testing.js';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { modes, nextTurn, serve } from '../../support/serving.js';
import { codesOf } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';

/** A server whose handlers hang, on a clock of its own. */
function hanging(options: { readonly handlerTimeoutMs?: number; readonly concurrency?: number } = {}) {
  const clock = new TestClock();
  const errors: unknown[] = [];
  const log: string[] = [];
  const signals: AbortSignal[] = [];
  const late = deferred();
  const receive = ({ text, signal }: ReceiveMessage): Promise<void> | undefined => {
    log.push(text);
    signals.push(signal);
    return text.startsWith('hang') ? late.promise : undefined;
  };
  const channels = new ChannelServer(
    { receive, disconnect: ({ code }) => void log.push(`disconnect ${code}`) },
    { clock, onError: (error) => errors.push(error), ...options },
  );
  return { channels, clock, errors, log, signals, late };
}

describe('a receive handler that takes longer than handlerTimeoutMs', () => {
  it('ends its channel with 1011 after a minute, is reported once, sees its signal aborted, and does not keep disconnect from running', async () => {
    const { channels, clock, errors, log, signals } = hanging();
    const client = await connectTo(channels);
    void client.send('hang');
    void client.send('behind it');
    await clock.advance(59_999);
    expect([client.closed, errors, signals[0]?.aborted]).toEqual([undefined, [], false]);
    await clock.advance(1);
    expect(client.closed).toEqual({ code: 1011, reason: 'internal error' });
    expect(codesOf(errors)).toEqual(['ERR_HANDLER_TIMEOUT']);
    expect(signals[0]?.aborted).toBe(true);
    expect(log).toEqual(['hang', 'disconnect 1011']);
    expect(channels.channels.size).toBe(0);
    await channels.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it.each(['resolves', 'rejects'])('counts no more when it %s late', async (how) => {
    const { channels, clock, errors, log, late } = hanging();
    const client = await connectTo(channels);
    void client.send('hang');
    await clock.advance(60_000);
    if (how === 'resolves') late.resolve();
    else late.reject(new Error('late'));
    await nextTurn();
    expect(codesOf(errors)).toEqual(['ERR_HANDLER_TIMEOUT']);
    expect(log).toEqual(['hang', 'disconnect 1011']);
  });

  it('is bounded after the peer has left too, and drops what waits behind it', async () => {
    const { channels, clock, errors, log } = hanging({ handlerTimeoutMs: 100 });
    const client = await connectTo(channels);
    void client.send('hang');
    void client.send('hang too');
    const left = client.disconnect(1000);
    await clock.advance(99);
    expect(log).toEqual(['hang']);
    await clock.advance(1);
    await left;
    expect(log).toEqual(['hang', 'disconnect 1000']);
    expect(codesOf(errors)).toEqual(['ERR_HANDLER_TIMEOUT']);
  });

  it('leaves handlers alone that are done in time, each by its own time', async () => {
    const { channels, clock, errors, log, late } = hanging({ handlerTimeoutMs: 100 });
    const [first, second] = await Promise.all([connectTo(channels), connectTo(channels)]);
    const done = first.send('hang');
    await clock.advance(60);
    late.resolve();
    await done;
    void second.send('hang once more');
    await nextTurn();
    await clock.advance(60);
    expect([first.closed, second.closed, errors]).toEqual([undefined, undefined, []]);
    expect(log).toEqual(['hang', 'hang once more']);
    await channels.close();
  });

  it('is timed from when it began, whatever runs beside it', async () => {
    const { channels, clock, log } = hanging({ handlerTimeoutMs: 100 });
    const [first, second] = await Promise.all([connectTo(channels), connectTo(channels)]);
    void first.send('hang 1');
    await clock.advance(40);
    void second.send('hang 2');
    await clock.advance(60);
    expect([first.closed?.code, second.closed]).toEqual([1011, undefined]);
    await clock.advance(39);
    expect(second.closed).toBe(undefined);
    await clock.advance(1);
    expect(second.closed?.code).toBe(1011);
    expect(log).toEqual(['hang 1', 'hang 2', 'disconnect 1011', 'disconnect 1011']);
  });

  it('may take for ever where handlerTimeoutMs is 0', async () => {
    const { channels, clock, log, late } = hanging({ handlerTimeoutMs: 0 });
    const client = await connectTo(channels);
    const sent = client.send('hang');
    await clock.advance(86_400_000);
    expect([client.closed, clock.pendingTimers]).toEqual([undefined, 0]);
    late.resolve();
    await sent;
    expect(log).toEqual(['hang']);
    await channels.close();
  });

  it('costs no timer where handlers are synchronous', async () => {
    const { channels, clock } = hanging();
    const client = await connectTo(channels);
    for (let index = 0; index < 10; index += 1) await client.send(String(index));
    expect(clock.pendingTimers).toBe(0);
  });

  it('costs neither a timer nor a look at the clock where handlers await what is settled', async () => {
    const clock = new TestClock();
    const channels = new ChannelServer({ receive: () => Promise.resolve() }, { clock });
    const client = await connectTo(channels);
    const looks = [vi.spyOn(clock, 'setTimer'), vi.spyOn(clock, 'monotonic')];
    for (let index = 0; index < 10; index += 1) await client.send(String(index));
    await nextTurn();
    expect(looks.map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
    await channels.close();
  });

  it('saves nothing of what it changed in the session', async () => {
    const clock = new TestClock();
    const store = new MemorySessionStore({ clock });
    const late = deferred();
    const caught: unknown[] = [];
    const receive = withChannelSession(async ({ channelSession }: ReceiveMessage & HasChannelSession) => {
      channelSession.set('changed', true);
      await late.promise;
      try {
        channelSession.set('late', true);
      } catch (error) {
        caught.push(error);
      }
    });
    const channels = new ChannelServer({ receive }, { clock, session: { store }, onError: () => undefined });
    const client = await connectTo(channels);
    void client.send('x');
    await clock.advance(60_000);
    late.resolve();
    await nextTurn();
    expect(store.size).toBe(0);
    expect(caught).toEqual([expect.any(TypeError)]);
  });

  it.each([2, 8])('ends all that its channel runs beside it (concurrency %i), in order or not', async (concurrency) => {
    const clock = new TestClock();
    const errors: unknown[] = [];
    const log: string[] = [];
    const channels = new ChannelServer(
      {
        receive: ({ text }) => {
          log.push(text);
          return new Promise(() => undefined);
        },
        disconnect: withOrdering(({ code }) => void log.push(`disconnect ${code}`)),
      },
      { clock, concurrency, onError: (error) => errors.push(error) },
    );
    const client = await connectTo(channels);
    void client.send('1');
    await clock.advance(10);
    void client.send('2');
    await clock.advance(60_000);
    expect(log).toEqual(['1', '2', 'disconnect 1011']);
    expect(new Set(codesOf(errors))).toEqual(new Set(['ERR_HANDLER_TIMEOUT']));
    expect(channels.channels.size).toBe(0);
  });
});

describe('a disconnect handler that takes longer than handlerTimeoutMs', () => {
  it('is reported once and waited for no longer', async () => {
    const clock = new TestClock();
    const errors: unknown[] = [];
    const late = deferred();
    const channels = new ChannelServer({ disconnect: () => late.promise }, { clock, onError: (error) => errors.push(error) });
    const client = await connectTo(channels);
    let isOver = false;
    const left = client.disconnect().then(() => {
      isOver = true;
    });
    await clock.advance(59_999);
    expect(isOver).toBe(false);
    await clock.advance(1);
    await left;
    expect(codesOf(errors)).toEqual(['ERR_HANDLER_TIMEOUT']);
    late.reject(new Error('late'));
    await nextTurn();
    expect(errors).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe.each(modes)('on sockets (%s)', (mode) => {
  it('a handler that hangs ends its channel alone', async () => {
    const begun = deferred();
    const { port, channels, clock, errors } = await serve(
      {
        receive({ text, channel }) {
          if (text !== 'hang') return void channel.send(text);
          begun.resolve();
          return new Promise(() => undefined);
        },
      },
      { mode, handlerTimeoutMs: 1_000 },
    );
    const [hung, healthy] = await Promise.all([WsClient.connect(port), WsClient.connect(port)]);
    hung.send('hang');
    healthy.send('1');
    await Promise.all([begun.promise, healthy.next()]);
    await nextTurn();
    await clock.advance(1_000);
    expect(await hung.closed()).toEqual({ code: 1011, reason: 'internal error' });
    healthy.send('2');
    expect(await healthy.next()).toBe('2');
    expect(codesOf(errors)).toEqual(['ERR_HANDLER_TIMEOUT']);
    await eventually(() => expect(channels.channels.size).toBe(1));
  });
});

it.each([-1, 0.5, Number.NaN, 2_147_483_648, '5', null])('a handlerTimeoutMs of %s is a TypeError', (handlerTimeoutMs) => {
  expect(() => new ChannelServer({ receive: () => undefined }, { handlerTimeoutMs: handlerTimeoutMs as number })).toThrow(TypeError);
});
