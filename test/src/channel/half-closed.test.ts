import { describe, expect, it } from 'vitest';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { closeFrame, frame, RawClient } from '../../support/raw-client.js';
import { modes, nextTurn, serve } from '../../support/serving.js';
import { WsClient } from '../../support/ws-client.js';

describe.each(modes)('a client that sends a close frame and keeps its connection open (%s)', (mode) => {
  it('counts as gone: its signal is aborted, disconnect runs with its code within two seconds, and the socket is gone', async () => {
    const log: string[] = [];
    const opened = deferred<AbortSignal>();
    const { port, channels, clock } = await serve(
      {
        connect: ({ signal, channel }) => {
          channel.send('ready');
          opened.resolve(signal);
        },
        receive: ({ text }) => void log.push(text),
        disconnect: ({ code, reason }) => void log.push(`disconnect ${code} ${reason}`),
      },
      { mode },
    );
    const client = await RawClient.connect(port);
    const signal = await opened.promise;
    await client.nextFrame();
    const [channel] = channels.channels;
    client.write(frame('last'));
    client.write(closeFrame(4_007, 'bye'));
    await eventually(() => expect(signal.aborted).toBe(true));
    expect(channel?.send('late')).toBe(false);
    await clock.advance(2_000);
    await eventually(() => expect(log).toEqual(['last', 'disconnect 4007 bye']));
    expect([channels.channels.size, clock.pendingTimers]).toEqual([0, 0]);
    expect(client.socket.writable).toBe(true);
  });

  it('aborts the handler under way, and has what was received before handled', async () => {
    const log: string[] = [];
    const begun = deferred<AbortSignal>();
    const working = deferred();
    const { port, clock } = await serve(
      {
        receive: async ({ text, signal }) => {
          log.push(text);
          begun.resolve(signal);
          await working.promise;
        },
        disconnect: ({ code }) => void log.push(`disconnect ${code}`),
      },
      { mode },
    );
    const client = await RawClient.connect(port);
    client.write(frame('1'));
    client.write(frame('2'));
    client.write(closeFrame(1_000));
    const signal = await begun.promise;
    await eventually(() => expect(signal.aborted).toBe(true));
    await clock.advance(2_000);
    expect(log).toEqual(['1']);
    working.resolve();
    await eventually(() => expect(log).toEqual(['1', '2', 'disconnect 1000']));
  });

  it('that closes in order is not held up by it, and leaves no timer', async () => {
    const log: number[] = [];
    const { port, clock } = await serve({ disconnect: ({ code }) => void log.push(code) }, { mode });
    const client = await WsClient.connect(port);
    await client.close(4_001);
    await eventually(() => expect(log).toEqual([4_001]));
    await nextTurn();
    expect(clock.pendingTimers).toBe(0);
  });
});
