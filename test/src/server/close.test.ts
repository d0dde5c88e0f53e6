import { describe, expect, it } from 'vitest';
import {
  type ChannelError,
  ChannelServer,
  type ConnectMessage,
  type HasChannelSession,
  type ReceiveMessage,
  withChannelSession,
  withUserFromToken,
} from '../../../entries/index.js';
import { MemorySessionStore } from '../../../entries/memory.js';
import { connectTo, TestClock } from '../../../entries/testing.js';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { RawClient } from '../../support/raw-client.js';
import { modes, nextTurn, oneToken, serve } from '../../support/serving.js';
import { codesOf } from '../../support/site.js';
import { storeWith } from '../../support/store-with.js';
import { WsClient } from '../../support/ws-client.js';

describe.each(modes)('close (%s)', (mode) => {
  it('ends live channels with 1012, refuses pending and new ones, and runs every disconnect', async () => {
    const codes: number[] = [];
    const begun = deferred();
    const left = deferred();
    const connecting = deferred();
    const { port, channels, clock } = await serve(
      {
        connect: ({ channel, request }) => {
          if (request.url === '/hangs') {
            begun.resolve();
            return connecting.promise;
          }
          channel.send('ready');
          return undefined;
        },
        disconnect: ({ code }) => {
          codes.push(code);
          return left.promise;
        },
      },
      { mode },
    );
    const live = await Promise.all(Array.from({ length: 20 }, () => WsClient.connect(port)));
    await Promise.all(live.map((client) => client.next()));
    const pending = WsClient.connect(port, { path: '/hangs' });
    await begun.promise;
    expect(channels.channels.size).toBe(20);
    const closed = channels.close();
    for (const client of live) expect(await client.closed()).toEqual({ code: 1012, reason: 'restarting' });
    for (const client of [await pending, await WsClient.connect(port)]) {
      if (mode === 'accept') expect((await client.closed()).code).toBe(1012);
      else {
        expect(client.refused).toMatchObject({ status: 503 });
        expect(client.refused?.headers['retry-after']).toMatch(/^\d+$/);
      }
    }
    left.resolve();
    connecting.resolve();
    await closed;
    expect(codes).toEqual(Array.from({ length: 20 }, () => 1012));
    expect(channels.channels.size).toBe(0);
    await eventually(() => expect(clock.pendingTimers).toBe(0));
  });

  it('is over in bounded time, though a peer never answers', async () => {
    const { port, channels, clock, errors, warnings } = await serve({ connect: ({ channel }) => void channel.send('ready') }, { mode });
    const client = await RawClient.connect(port);
    await client.nextFrame();
    let isClosed = false;
    const closed = channels.close({ timeoutMs: 300 }).then(() => {
      isClosed = true;
    });
    expect(await client.closeCode()).toBe(1012);
    await clock.advance(299);
    expect(isClosed).toBe(false);
    await clock.advance(1);
    await closed;
    await client.ended();
    expect(clock.pendingTimers).toBe(0);
    expect([codesOf(errors), codesOf(warnings)]).toEqual([[], ['ERR_SHUTDOWN']]);
  });

  it('waits for the connect handlers of channels that it refuses, and of those that have left', async () => {
    const work = deferred();
    const begun = [deferred<AbortSignal>(), deferred<AbortSignal>()];
    let count = 0;
    const { port, channels, clock, errors, warnings } = await serve(
      {
        connect: ({ signal }) => {
          begun[count]?.resolve(signal);
          count += 1;
          return work.promise;
        },
      },
      { mode },
    );
    const gone = await RawClient.upgrade(port);
    const left = await begun[0]?.promise;
    gone.reset();
    await new Promise((resolve) => left?.addEventListener('abort', resolve));
    const pending = WsClient.connect(port);
    await begun[1]?.promise;
    let isClosed = false;
    const closed = channels.close().then(() => {
      isClosed = true;
    });
    const client = await pending;
    if (mode === 'accept') expect((await client.closed()).code).toBe(1012);
    else expect(client.refused?.status).toBe(503);
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    expect(isClosed).toBe(false);
    work.resolve();
    await closed;
    expect([errors, warnings, clock.pendingTimers]).toEqual([[], [], 0]);
  });

  it('waits for the connect handler of a client that was looked up, and has left since', async () => {
    const { tokens, cookie } = await oneToken();
    const work = deferred();
    const begun = deferred<AbortSignal>();
    const connect = withUserFromToken({ tokens })(({ signal }: ConnectMessage) => {
      begun.resolve(signal);
      return work.promise;
    });
    const { port, channels } = await serve({ connect }, { mode });
    const gone = await RawClient.upgrade(port, { headers: { Cookie: cookie } });
    const signal = await begun.promise;
    gone.reset();
    await eventually(() => expect(signal.aborted).toBe(true));
    let isClosed = false;
    const closed = channels.close().then(() => {
      isClosed = true;
    });
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    expect(isClosed).toBe(false);
    work.resolve();
    await closed;
  });

  it('does not wait for the connect handler of a client that left longer ago than a connect may take', async () => {
    const begun = deferred<AbortSignal>();
    const connect = ({ signal }: ConnectMessage): Promise<never> => {
      begun.resolve(signal);
      return new Promise(() => undefined);
    };
    const { port, channels, clock, warnings } = await serve({ connect }, { mode });
    const gone = await RawClient.upgrade(port);
    const signal = await begun.promise;
    gone.reset();
    await eventually(() => expect(signal.aborted).toBe(true));
    await clock.advance(5_000);
    await channels.close();
    expect(warnings).toEqual([]);
  });

  it('reports connect, receive and disconnect handlers that never settle, and runs the disconnect that they kept waiting', async () => {
    const log: string[] = [];
    const begun = deferred();
    const never = new Promise(() => undefined);
    const { port, channels, clock, errors } = await serve(
      {
        connect: ({ channel, request }) => {
          if (request.url !== '/connect') return void channel.send('ready');
          begun.resolve();
          return never;
        },
        receive: ({ text }) => {
          log.push(text);
          return never;
        },
        disconnect: ({ code, request }) => {
          log.push(`disconnect ${code} ${request.url}`);
          return request.url === '/disconnect' ? never : undefined;
        },
      },
      { mode },
    );
    const receiving = await WsClient.connect(port, { path: '/receive' });
    const disconnecting = await WsClient.connect(port, { path: '/disconnect' });
    receiving.send('hangs');
    receiving.send('waits');
    await eventually(() => expect(log).toEqual(['hangs']));
    const connecting = WsClient.connect(port, { path: '/connect' });
    await begun.promise;
    const closed = channels.close({ timeoutMs: 100 });
    await disconnecting.closed();
    await eventually(() => expect(log).toHaveLength(2));
    expect(errors).toEqual([]);
    await clock.advance(100);
    await Promise.all([closed, receiving.closed(), connecting]);
    expect(codesOf(errors)).toEqual(['ERR_SHUTDOWN']);
    for (const part of ['100 ms', '1 connect', '1 receive', '1 disconnect']) expect((errors[0] as Error).message).toContain(part);
    expect(log).toEqual(['hangs', 'disconnect 1012 /disconnect', 'disconnect 1012 /receive']);
    expect(channels.channels.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('close', () => {
  it('runs what was received before, and waits for its saves', async () => {
    const clock = new TestClock();
    const kept = new MemorySessionStore({ clock });
    const saving = deferred();
    const saved: unknown[] = [];
    const store = storeWith(kept, {
      create: async (id, session) => {
        await saving.promise;
        saved.push(session.data);
        await kept.create(id, session);
      },
      save: async (id, session, version) => {
        saved.push(session.data);
        await kept.save(id, session, version);
      },
    });
    const receive = withChannelSession(({ channelSession, text }: ReceiveMessage & HasChannelSession) => {
      channelSession.set('text', text);
    });
    const log: string[] = [];
    const channels = new ChannelServer(
      { receive, disconnect: ({ code }) => void log.push(`disconnect ${code}`) },
      { clock, session: { store }, onError: (error) => log.push(String(error)) },
    );
    const client = await connectTo(channels);
    const handled = ['a', 'b'].map((text) => client.send(text));
    const closed = channels.close().then(() => log.push('closed'));
    await nextTurn();
    expect(log).toEqual([]);
    saving.resolve();
    await Promise.all([...handled, closed]);
    expect(saved).toEqual([{ text: 'a' }, { text: 'b' }]);
    expect(log).toEqual(['disconnect 1012', 'closed']);
    expect(client.closed).toEqual({ code: 1012, reason: 'restarting' });
    expect(kept.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('lets a handler that runs answer, takes nothing more in meanwhile, and only then says 1012', async () => {
    const clock = new TestClock();
    const going = deferred();
    const log: string[] = [];
    const channels = new ChannelServer(
      {
        receive: async ({ text, channel, signal }) => {
          log.push(text);
          await going.promise;
          log.push(`${text} ${channel.send(`answer to ${text}`)} ${signal.aborted}`);
        },
        disconnect: ({ code }) => void log.push(`disconnect ${code}`),
      },
      { clock },
    );
    const client = await connectTo(channels);
    const handled = client.send('first');
    const closed = channels.close();
    await nextTurn();
    const dropped = client.send('late');
    expect(client.closed).toBeUndefined();
    going.resolve();
    await Promise.all([handled, dropped, closed]);
    expect(client.sent).toEqual(['answer to first']);
    expect(client.closed).toEqual({ code: 1012, reason: 'restarting' });
    expect(log).toEqual(['first', 'first true false', 'disconnect 1012']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('aborts handlers at its timeout, and tells their peers 1012 all the same', async () => {
    const clock = new TestClock();
    const log: string[] = [];
    const channels = new ChannelServer(
      {
        receive: ({ signal }) =>
          new Promise((resolve) => {
            signal.addEventListener('abort', () => resolve(log.push('aborted')));
          }),
        disconnect: ({ code }) => void log.push(`disconnect ${code}`),
      },
      { clock, onError: (error) => log.push((error as ChannelError).code) },
    );
    const client = await connectTo(channels);
    void client.send('waits for the signal');
    const closed = channels.close({ timeoutMs: 100 });
    await clock.advance(99);
    expect(log).toEqual([]);
    await clock.advance(1);
    await closed;
    expect(log).toEqual(['ERR_SHUTDOWN', 'aborted', 'disconnect 1012']);
    expect(client.closed?.code).toBe(1012);
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives up on handlers that hang after its time, ten seconds by default', async () => {
    const clock = new TestClock();
    const channels = new ChannelServer({ receive: () => new Promise(() => undefined) }, { clock });
    const client = await connectTo(channels);
    void client.send('hang');
    let isClosed = false;
    const closed = channels.close().then(() => {
      isClosed = true;
    });
    await clock.advance(9_999);
    expect(isClosed).toBe(false);
    await clock.advance(1);
    await closed;
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives the same promise when it is called again, and ends at once without channels', async () => {
    const clock = new TestClock();
    const channels = new ChannelServer({ receive: () => undefined }, { clock });
    const closing = channels.close();
    expect(channels.close({ timeoutMs: 5 })).toBe(closing);
    expect(channels[Symbol.asyncDispose]()).toBe(closing);
    await closing;
    expect(clock.pendingTimers).toBe(0);
  });

  it('is what await using does', async () => {
    const { client, channels } = await (async () => {
      await using disposed = new ChannelServer({ receive: () => undefined });
      return { channels: disposed, client: await connectTo(disposed) };
    })();
    expect(client.closed?.code).toBe(1012);
    expect(channels.channels.size).toBe(0);
  });

  it.each([-1, Number.NaN, '5', null])('throws a TypeError for a timeoutMs of %s', (timeoutMs) => {
    const channels = new ChannelServer({ receive: () => undefined });
    expect(() => channels.close({ timeoutMs: timeoutMs as number })).toThrow(TypeError);
  });
});
