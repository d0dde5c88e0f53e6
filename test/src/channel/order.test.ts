import { describe, expect, it } from 'vitest';
import { ChannelServer, CloseChannel, DenyConnection, withChannelSession } from '../../../entries/index.js';
import { connectTo, type TestClient, TestClock } from '../../../entries/testing.js';
import { type Deferred, deferred } from '../../support/deferred.js';
import { RawClient } from '../../support/raw-client.js';
import { modes, nextTurn, serve } from '../../support/serving.js';
import { WsClient } from '../../support/ws-client.js';

/** A handler's gates, one a message: it waits until the test opens them. */
function gates(): (name: string) => Deferred {
  const all = new Map<string, Deferred>();
  return (name) => {
    const gate = all.get(name) ?? deferred();
    all.set(name, gate);
    return gate;
  };
}

describe('order', () => {
  it.each(modes)('lets connect complete before the first receive, disconnect come last (%s)', async (mode) => {
    const log: string[] = [];
    const gone = deferred();
    const { port } = await serve(
      {
        connect: async ({ channel }) => {
          await nextTurn();
          log.push('connect');
          channel.send('welcome');
        },
        receive: async ({ text, channel }) => {
          await nextTurn();
          log.push(text);
          channel.send(text);
        },
        disconnect: ({ code, reason }) => {
          log.push(`disconnect ${code} ${reason}`);
          gone.resolve();
        },
      },
      { mode },
    );
    const client = await WsClient.connect(port);
    for (const text of ['1', '2', '3']) client.send(text);
    expect(await client.take(4)).toEqual(['welcome', '1', '2', '3']);
    await client.close(4001, 'bye');
    await gone.promise;
    expect(log).toEqual(['connect', '1', '2', '3', 'disconnect 4001 bye']);
  });

  it('runs receives one at a time, however long one takes', async () => {
    let running = 0;
    let most = 0;
    const client = await connectTo({
      receive: async ({ channel, text }) => {
        running += 1;
        most = Math.max(most, running);
        await nextTurn();
        running -= 1;
        channel.send(text);
      },
    });
    const texts = Array.from({ length: 20 }, (_, index) => String(index));
    await Promise.all(texts.map((text) => client.send(text)));
    expect(client.sent).toEqual(texts);
    expect(most).toBe(1);
  });

  it('runs one that arrives within the call of a handler after that, though nothing else comes', async () => {
    const client: TestClient = await connectTo({
      receive: ({ channel, text }) => {
        if (text === 'first') void client.send('second');
        channel.send(text);
      },
    });
    await client.send('first');
    expect(client.sent).toEqual(['first', 'second']);
  });

  it('counts to 100 when 100 messages increment at once', async () => {
    const client = await connectTo({
      receive: withChannelSession(async ({ channelSession, channel }) => {
        const count = (channelSession.get('count') as number | undefined) ?? 0;
        await Promise.resolve();
        channelSession.set('count', count + 1);
        channel.sendJson(count + 1);
      }),
    });
    await Promise.all(Array.from({ length: 100 }, () => client.send('+')));
    expect(client.sentJson).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    expect(client.channelSession.get('count')).toBe(100);
  });

  it('runs as many receives at once as concurrency says, and starts them in order', async () => {
    const started: string[] = [];
    const gate = gates();
    const client = await connectTo(
      {
        receive: async ({ text }) => {
          started.push(text);
          await gate(text).promise;
        },
      },
      { concurrency: 3 },
    );
    const handled = ['a', 'b', 'c', 'd', 'e'].map((text) => client.send(text));
    await nextTurn();
    expect(started).toEqual(['a', 'b', 'c']);
    gate('b').resolve();
    await nextTurn();
    expect(started).toEqual(['a', 'b', 'c', 'd']);
    for (const text of ['a', 'c', 'd', 'e']) gate(text).resolve();
    await Promise.all(handled);
    expect(started).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('goes on with each of hundreds that run at once by itself, whichever is done first, again and again', async () => {
    const gate = gates();
    const client = await connectTo(
      {
        receive: async ({ text, channel }) => {
          await gate(text).promise;
          channel.send(text);
        },
      },
      { concurrency: 200 },
    );
    const order: string[] = [];
    for (const round of ['a', 'b', 'c']) {
      const texts = Array.from({ length: 200 }, (_, index) => `${round} ${index}`);
      const handled = texts.map((text) => client.send(text));
      if (round !== 'b') texts.reverse();
      for (const text of texts) gate(text).resolve();
      await Promise.all(handled);
      order.push(...texts);
    }
    expect(client.sent).toEqual(order);
  });

  it.each([0, -1, 1.5, '2', Number.NaN])('refuses a concurrency of %s', (concurrency) => {
    expect(() => new ChannelServer({ receive: () => undefined }, { concurrency: concurrency as number })).toThrow(TypeError);
  });
});

describe('disconnect', () => {
  it.each(modes)('runs once, with 1006, when the peer vanishes (%s)', async (mode) => {
    const codes: number[] = [];
    const gone = deferred();
    const { port, channels } = await serve(
      {
        connect: ({ channel }) => void channel.send('ready'),
        disconnect: ({ code }) => {
          codes.push(code);
          gone.resolve();
        },
      },
      { mode },
    );
    const client = await RawClient.connect(port);
    await client.nextFrame();
    expect(channels.channels.size).toBe(1);
    client.reset();
    await gone.promise;
    await channels.close();
    expect(codes).toEqual([1006]);
    expect(channels.channels.size).toBe(0);
  });

  it.each([
    ['throws', () => Promise.reject(new Error('no'))],
    ['denies', () => Promise.reject(new DenyConnection())],
    ['closes the channel', () => Promise.reject(new CloseChannel(4000))],
  ])('is not called where connect %s', async (_what, connect) => {
    for (const mode of modes) {
      let disconnects = 0;
      const { port, channels } = await serve(
        {
          connect,
          disconnect: () => {
            disconnects += 1;
          },
        },
        { mode },
      );
      const client = await WsClient.connect(port);
      if (client.refused === undefined) await client.closed();
      await channels.close();
      expect(disconnects).toBe(0);
    }
  });

  it('comes after the queued receives, which run when the peer has left', async () => {
    const log: string[] = [];
    const gate = gates();
    const client = await connectTo({
      receive: async ({ text, channel }) => {
        await gate(text).promise;
        log.push(`${text} ${String(channel.send('late'))}`);
      },
      disconnect: ({ code }) => void log.push(`disconnect ${code}`),
    });
    for (const text of ['a', 'b', 'c']) void client.send(text);
    const gone = client.disconnect(1001);
    await nextTurn();
    expect(log).toEqual([]);
    for (const text of ['a', 'b', 'c']) gate(text).resolve();
    await gone;
    expect(log).toEqual(['a false', 'b false', 'c false', 'disconnect 1001']);
    expect(client.sent).toEqual([]);
  });

  it('comes after the queued receives, which run when the application has closed the channel', async () => {
    const log: string[] = [];
    const client = await connectTo({
      receive: async ({ text, channel }) => {
        await nextTurn();
        if (text === 'a') channel.close(4002, 'enough');
        log.push(text);
      },
      disconnect: ({ code, reason }) => void log.push(`disconnect ${code} ${reason}`),
    });
    await Promise.all(['a', 'b', 'c'].map((text) => client.send(text)));
    expect(log).toEqual(['a', 'b', 'c', 'disconnect 4002 enough']);
    expect(client.closed).toEqual({ code: 4002, reason: 'enough' });
  });

  it('comes after receives that still run, and those queued are dropped when a handler has thrown', async () => {
    const log: string[] = [];
    const gate = gates();
    const client = await connectTo(
      {
        receive: async ({ text, signal }) => {
          await gate(text).promise;
          if (text === 'bad') throw new Error('bad');
          log.push(`${text} ${String(signal.aborted)}`);
        },
        disconnect: ({ code }) => void log.push(`disconnect ${code}`),
      },
      { concurrency: 2, onError: () => undefined },
    );
    const handled = ['bad', 'running', 'queued'].map((text) => client.send(text));
    await nextTurn();
    gate('bad').resolve();
    await nextTurn();
    expect(log).toEqual([]);
    gate('queued').resolve();
    gate('running').resolve();
    await Promise.all(handled);
    expect(log).toEqual(['running true', 'disconnect 1011']);
  });

  it.each([
    ['its peer has left', (client: TestClient) => void client.disconnect(4002)],
    ['the application has closed the channel', ({ channel }: TestClient) => channel.close(4002)],
  ])('comes after the first receive that throws, and not the others, where %s', async (_way, end) => {
    const log: string[] = [];
    const gate = gates();
    const client = await connectTo(
      {
        receive: async ({ text }) => {
          log.push(text);
          await gate(text).promise;
          if (text === 'bad') throw new Error('bad');
        },
        disconnect: ({ code }) => void log.push(`disconnect ${code}`),
      },
      { onError: (error) => void log.push((error as Error).message.toUpperCase()) },
    );
    const handled = ['good', 'bad', 'queued'].map((text) => client.send(text));
    end(client);
    for (const text of ['good', 'bad', 'queued']) gate(text).resolve();
    await Promise.all(handled);
    expect(log).toEqual(['good', 'bad', 'BAD', 'disconnect 4002']);
  });

  it('reports an error of its own and changes nothing else', async () => {
    const clock = new TestClock();
    const errors: unknown[] = [];
    const channels = new ChannelServer(
      { disconnect: () => Promise.reject(new Error('in disconnect')) },
      { clock, onError: (error) => errors.push((error as Error).message) },
    );
    const client = await connectTo(channels);
    await client.disconnect(1000);
    expect(errors).toEqual(['in disconnect']);
    expect(client.closed).toEqual({ code: 1000, reason: '' });
    expect(channels.channels.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});
