import { describe, expect, it } from 'vitest';
import type { Channel } from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { frame, opcodes, RawClient } from '../../support/raw-client.js';
import { modes, nextTurn, serve } from '../../support/serving.js';
import { codesOf } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';

/** Resolves once the server's side of the socket has read nothing new for some turns of its event loop. */
async function untilRead(bytesRead: () => number): Promise<void> {
  for (let last = -1; last !== bytesRead(); ) {
    last = bytesRead();
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
  }
}

describe('frames that arrive while connect works', () => {
  it.each(modes)('are delivered in order, those pipelined with the handshake included (%s)', async (mode) => {
    const connecting = deferred();
    const { port } = await serve(
      {
        connect: () => connecting.promise,
        receive: ({ text, channel }) => void channel.send(text),
      },
      { mode },
    );
    const client = await RawClient.upgrade(port, { head: Buffer.concat([frame('0'), frame('1')]) });
    for (const text of ['2', '3', '4']) {
      await nextTurn();
      client.write(frame(text));
    }
    // a frame in two pieces, with the end of connect in between
    const last = frame('last');
    client.write(last.subarray(0, 4));
    await nextTurn();
    connecting.resolve();
    expect(await client.status()).toBe(101);
    client.write(last.subarray(4));
    const texts: string[] = [];
    while (texts.length < 6) texts.push((await client.nextFrame()).payload.toString());
    expect(texts).toEqual(['0', '1', '2', '3', '4', 'last']);
  });

  it.each(modes)('are all there when they are thousands, in one piece with the handshake (%s)', async (mode) => {
    const connecting = deferred();
    const received: number[] = [];
    const all = deferred();
    const count = 8_000;
    const { port } = await serve(
      {
        connect: () => connecting.promise,
        receive: async ({ text }) => {
          if (received.length % 1_000 === 0) await nextTurn();
          received.push(Number(text));
          if (received.length === count) all.resolve();
        },
      },
      { mode },
    );
    const frames = Array.from({ length: count }, (_, index) => frame(String(index)));
    const client = await RawClient.upgrade(port, { head: Buffer.concat(frames) });
    await nextTurn();
    connecting.resolve();
    expect(await client.status()).toBe(101);
    await all.promise;
    expect(received).toEqual(frames.map((_, index) => index));
  });

  it.each(modes)('pause the socket past half the bound, and go on when connect is done (%s)', async (mode) => {
    const connecting = deferred();
    const begun = deferred<{ bytesRead: number; isPaused(): boolean }>();
    let bytes = 0;
    const all = deferred();
    const total = 40;
    const { port, warnings } = await serve(
      {
        connect: ({ request }) => {
          begun.resolve(request.socket);
          return connecting.promise;
        },
        receive: ({ data }) => {
          bytes += data.length;
          if (bytes === total * 65_536) all.resolve();
        },
      },
      { mode },
    );
    const client = await RawClient.upgrade(port);
    const raw = await begun.promise;
    for (let index = 0; index < total; index += 1) client.write(frame(Buffer.alloc(65_536, index), opcodes.binary));
    await eventually(() => expect(raw.isPaused()).toBe(true));
    await untilRead(() => raw.bytesRead);
    expect(raw.bytesRead).toBeLessThan(1_048_576);
    connecting.resolve();
    expect(await client.status()).toBe(101);
    await all.promise;
    expect(raw.isPaused()).toBe(false);
    expect(warnings).toEqual([]);
  });
});

describe('messages that wait for a handler', () => {
  it('pause the socket past half of maxQueuedBytes, and all arrive', async () => {
    const gate = deferred();
    let isFirst = true;
    const received: number[] = [];
    const all = deferred();
    const { port, channels, warnings } = await serve({
      receive: async ({ data }) => {
        if (isFirst) {
          isFirst = false;
          await gate.promise;
        }
        received.push(data[0] as number);
        if (received.length === 60) all.resolve();
      },
    });
    const client = await RawClient.connect(port);
    for (let index = 0; index < 60; index += 1) client.write(frame(Buffer.alloc(65_536, index), opcodes.binary));
    const [channel] = channels.channels;
    await eventually(() => expect(channel?.socket?.isPaused).toBe(true));
    gate.resolve();
    await all.promise;
    expect(received).toEqual(Array.from({ length: 60 }, (_, index) => index));
    expect(channel?.socket?.isPaused).toBe(false);
    expect(warnings).toEqual([]);
  });

  it('pause the socket past half of maxQueuedMessages, and all arrive', async () => {
    const gate = deferred();
    const received: string[] = [];
    const all = deferred();
    const { port, channels } = await serve(
      {
        receive: async ({ text }) => {
          await gate.promise;
          received.push(text);
          if (received.length === 200) all.resolve();
        },
      },
      { maxQueuedMessages: 64 },
    );
    const client = await RawClient.connect(port);
    const [channel] = channels.channels;
    for (let index = 0; index < 200; index += 1) {
      client.write(frame(String(index)));
      // one frame a chunk: what a chunk brings beyond the mark is delivered in spite of the pause
      if (channel?.socket?.isPaused !== true) await eventually(() => expect(client.socket.writableLength).toBe(0));
      await nextTurn();
    }
    await eventually(() => expect(channel?.socket?.isPaused).toBe(true));
    gate.resolve();
    await all.promise;
    expect(received).toEqual(Array.from({ length: 200 }, (_, index) => String(index)));
  });

  it('may be one larger than the bound of bytes, where nothing waits', async () => {
    const large = 'x'.repeat(300_000);
    const gate = deferred();
    const { port, warnings } = await serve(
      {
        receive: async ({ text, channel }) => {
          await gate.promise;
          channel.sendJson(text.length);
        },
      },
      { maxQueuedBytes: 1_000 },
    );
    const client = await WsClient.connect(port);
    client.send('first');
    client.send(large);
    gate.resolve();
    expect(await client.take(2)).toEqual(['5', '300000']);
    client.send(large);
    expect(await client.next()).toBe('300000');
    expect(warnings).toEqual([]);
  });
});

describe('more than may wait', () => {
  it('is refused with 413 before the handshake is answered', async () => {
    const connecting = deferred();
    const begun = deferred<AbortSignal>();
    let disconnects = 0;
    const { port, channels, warnings, clock } = await serve(
      {
        connect: ({ signal }) => {
          begun.resolve(signal);
          return connecting.promise;
        },
        disconnect: () => {
          disconnects += 1;
        },
      },
      { maxQueuedBytes: 1_000 },
    );
    const client = await RawClient.upgrade(port);
    const signal = await begun.promise;
    client.write(frame('x'.repeat(1_001)));
    expect(await client.status()).toBe(413);
    await client.ended();
    expect(signal.aborted).toBe(true);
    expect(codesOf(warnings)).toEqual(['ERR_INPUT_OVERFLOW']);
    connecting.resolve();
    await channels.close();
    expect(disconnects).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is refused with 413, and nothing is asked, where it comes in one piece with the handshake', async () => {
    let connects = 0;
    const { port, warnings } = await serve(
      {
        connect: () => {
          connects += 1;
        },
      },
      { maxQueuedBytes: 1_000 },
    );
    const client = await RawClient.upgrade(port, { head: frame('x'.repeat(1_001)) });
    expect(await client.status()).toBe(413);
    await client.ended();
    expect(codesOf(warnings)).toEqual(['ERR_INPUT_OVERFLOW']);
    expect(connects).toBe(0);
  });

  it('closes with 1008 while connect is pending after the 101, where the application goes on reading a paused socket', async () => {
    const connecting = deferred();
    const begun = deferred<Channel>();
    let disconnects = 0;
    const { port, channels, warnings } = await serve(
      {
        connect: ({ channel }) => {
          begun.resolve(channel);
          return connecting.promise;
        },
        receive: () => undefined,
        disconnect: () => {
          disconnects += 1;
        },
      },
      { mode: 'accept', maxQueuedMessages: 3 },
    );
    const client = await RawClient.connect(port);
    const { socket, signal } = await begun.promise;
    const bytes = frame(Buffer.alloc(65_536), opcodes.binary);
    for (let sent = 0; sent < 16; sent += 1) client.write(bytes);
    while (!signal.aborted) {
      socket?.resume();
      await nextTurn();
    }
    expect(await client.closeCode()).toBe(1008);
    expect(codesOf(warnings)).toEqual(['ERR_INPUT_OVERFLOW']);
    client.finish();
    connecting.resolve();
    await channels.close();
    expect(disconnects).toBe(0);
  });

  it('closes with 1008 and drops what waits', async () => {
    const gate = deferred();
    const log: string[] = [];
    const client = await connectTo(
      {
        receive: async ({ text }) => {
          await gate.promise;
          log.push(text);
        },
        disconnect: ({ code, reason }) => void log.push(`${code} ${reason}`),
      },
      { maxQueuedMessages: 2, onWarning: (warning) => log.push(warning.code) },
    );
    const handled = ['runs', 'waits', 'waits', 'too many'].map((text) => client.send(text));
    await nextTurn();
    gate.resolve();
    await Promise.all(handled);
    expect(client.closed).toEqual({ code: 1008, reason: 'too much input' });
    expect(log).toEqual(['ERR_INPUT_OVERFLOW', 'runs', '1008 too much input']);
  });
});
