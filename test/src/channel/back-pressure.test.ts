import { randomBytes } from 'node:crypto';
import { constants, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { ReceiveMessage } from '../../../entries/index.js';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { frameOf } from '../../support/frames.js';
import { frame, opcodes, RawClient } from '../../support/raw-client.js';
import { modes, nextTurn, type ServeOptions, serve } from '../../support/serving.js';
import { codesOf } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';

const count = 20_000;

/** `connect` that is pending until the test lets it go on, and a slow `receive` that counts. */
function slowly(total: number) {
  const connecting = deferred();
  const all = deferred();
  const seen = { handled: 0 };
  const receive = async (): Promise<void> => {
    seen.handled += 1;
    if (seen.handled % 1_000 === 0) await nextTurn();
    if (seen.handled === total) all.resolve();
  };
  return { connecting, all: all.promise, seen, receive };
}

/** What a client says that compresses. */
const compression = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };

/** The payload of a compressed message (RFC 7692, section 7.2.1). */
function compressed(text: string): Buffer {
  return deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

/** Sends `total` requests at once, and reads all the while; gives how many answers came. */
async function answersTo(total: number, answer: number, options: ServeOptions): Promise<number> {
  const text = 'a'.repeat(answer);
  const { port, warnings } = await serve({ receive: ({ channel }) => void channel.send(text) }, options);
  const client = await WsClient.connect(port);
  for (let index = 0; index < total; index += 1) client.send('x');
  const received = await client.take(total);
  expect(codesOf(warnings)).toEqual([]);
  client.send('and on');
  expect((await client.next()).length).toBe(answer);
  return received.filter((message) => message.length === answer).length;
}

describe('a client that reads all the time', () => {
  it('gets every compressed answer to 300 requests sent at once, though they are more than may ever stay unsent', async () => {
    const options = { maxBufferedBytes: 80_000, upgrades: { ws: { perMessageDeflate: { threshold: 0 } } } };
    const { port, warnings } = await serve({ receive: ({ channel }) => void channel.send('a'.repeat(3_000)) }, options);
    const client = await RawClient.connect(port, { headers: compression });
    client.write(Buffer.concat(Array.from({ length: 300 }, () => frame('x'))));
    for (let index = 0; index < 300; index += 1) expect((await client.nextFrame()).opcode).toBe(opcodes.text);
    expect(codesOf(warnings)).toEqual([]);
  });

  // an open channel is the same however it came in
  it.each([
    ['accept', 60],
    ['handleUpgrades', 1_024],
  ] as const)('gets every answer to 20,000 requests sent at once (%s): %i bytes', async (mode, answer) => {
    expect(await answersTo(count, answer, { mode })).toBe(count);
  });
});

describe.each(modes)('a client that reads all the time (%s)', (mode) => {
  it('gets every answer where each is far larger than its request, and no more than a few wait at a time', async () => {
    let most = 0;
    const text = 'a'.repeat(100_000);
    const { port, channels, warnings } = await serve(
      {
        receive: ({ channel }) => {
          channel.send(text);
          most = Math.max(most, channel.socket?.bufferedAmount ?? 0);
        },
      },
      { mode },
    );
    const client = await WsClient.connect(port);
    for (let index = 0; index < 500; index += 1) client.send('x');
    for (let index = 0; index < 500; index += 1) await client.next();
    expect(codesOf(warnings)).toEqual([]);
    expect(most).toBeLessThan(2 * 1_048_576);
    const [channel] = channels.channels;
    expect(channel?.socket?.isPaused).toBe(false);
  });
});

describe.each(modes)('a client whose output is clogged (%s)', (mode) => {
  it('is read no further, and what it sent is handled once it reads again', async () => {
    let handled = 0;
    const all = deferred();
    const { port, channels, warnings } = await serve(
      {
        receive: ({ channel }) => {
          handled += 1;
          channel.send('a'.repeat(1_000_000));
          if (handled === 40) all.resolve();
        },
      },
      { mode },
    );
    const client = await RawClient.connect(port);
    client.socket.pause();
    client.write(Buffer.concat(Array.from({ length: 40 }, () => frame('x'))));
    const [channel] = channels.channels;
    while (channel?.socket?.isPaused !== true) await nextTurn();
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
    expect(handled).toBeLessThan(40);
    expect(warnings).toEqual([]);
    client.socket.removeAllListeners('data');
    client.socket.resume();
    await all.promise;
    expect(warnings).toEqual([]);
  });

  it('is read no further from then on, though no other message has come', async () => {
    const receive = ({ channel }: ReceiveMessage): unknown => channel.send('a'.repeat(8_000_000));
    const { port, channels } = await serve({ receive }, { mode, maxBufferedBytes: 16_000_000 });
    const client = await RawClient.connect(port);
    client.socket.pause();
    client.write(frame('x'));
    const [channel] = channels.channels;
    await eventually(() => expect(channel?.socket?.isPaused).toBe(true));
    client.socket.removeAllListeners('data');
    client.socket.resume();
    await eventually(() => expect(channel?.socket?.isPaused).toBe(false));
  });

  it('has its messages handled where it leaves, or is closed in order', async () => {
    const texts: string[] = [];
    const gone = deferred();
    const { port, channels } = await serve(
      {
        receive: ({ channel, text }) => {
          texts.push(text);
          channel.send('a'.repeat(8_000_000));
        },
        disconnect: () => gone.resolve(),
      },
      { mode, maxBufferedBytes: 16_000_000 },
    );
    const client = await RawClient.connect(port);
    client.socket.pause();
    client.write(Buffer.concat(['1', '2', '3'].map((text) => frame(text))));
    const [channel] = channels.channels;
    while (channel?.socket?.isPaused !== true) await nextTurn();
    expect(texts).toEqual(['1']);
    channel.close(4000);
    await nextTurn();
    expect(texts).toEqual(['1', '2', '3']);
    client.reset();
    await gone.promise;
  });
});

describe('a client that heeds TCP and compresses', () => {
  it.each([
    { bytes: 1, options: { maxQueuedMessages: 100 } },
    { bytes: 4_000, options: {} },
    { bytes: 4_000, options: { maxQueuedBytes: 5_000 } },
  ])('has all 400 of its compressed frames handled, though they wait: $bytes bytes each, $options', async ({ bytes, options }) => {
    const [begun, all] = [deferred(), deferred()];
    let handled = 0;
    const receive = async (): Promise<void> => {
      handled += 1;
      if (handled === 1) await begun.promise;
      if (handled === 400) all.resolve();
    };
    const { port, channels, warnings } = await serve({ receive }, { ...options, upgrades: { ws: { perMessageDeflate: true } } });
    const client = await RawClient.connect(port, { headers: compression });
    const [channel] = channels.channels;
    const arrived = deferred();
    let count = 0;
    channel?.socket?.on('message', () => {
      count += 1;
      if (count === 400) arrived.resolve();
    });
    const one = frameOf({ opcode: opcodes.text, payload: compressed('x'.repeat(bytes)), reserved: 4 });
    client.write(Buffer.concat(Array.from({ length: 400 }, () => one))); // few bytes: all are read at once, and wait inflated
    await arrived.promise;
    expect(channel?.socket?.isPaused).toBe(true);
    begun.resolve();
    await all.promise;
    expect(codesOf(warnings)).toEqual([]);
  });
});

describe('a client that heeds TCP', () => {
  it('has all frames handled, where ws emits each message in a turn of its own', async () => {
    const { all, receive } = slowly(count);
    const { port, warnings } = await serve({ receive }, { maxQueuedMessages: 8, upgrades: { ws: { allowSynchronousEvents: false } } });
    const client = await RawClient.connect(port);
    const one = frame('x');
    client.write(Buffer.concat(Array.from({ length: count }, () => one)));
    await all;
    expect(codesOf(warnings)).toEqual([]);
  });
});

describe.each(modes)('a client that heeds TCP (%s)', (mode) => {
  it.each([
    { bytes: 1, options: {} },
    { bytes: 0, options: {} },
    { bytes: 1, options: { maxQueuedMessages: 1 } },
    { bytes: 1, options: { maxQueuedMessages: 9_000 } },
    { bytes: 10, options: { maxQueuedBytes: 1 } },
    { bytes: 10, options: { concurrency: 3, maxQueuedMessages: 10 } },
  ])('has all of 20,000 frames handled: $bytes bytes each, $options', async ({ bytes, options }) => {
    const { all, seen, receive } = slowly(count);
    const { port, warnings } = await serve({ receive }, { mode, ...options });
    const client = await RawClient.connect(port);
    const one = frame('x'.repeat(bytes));
    client.write(Buffer.concat(Array.from({ length: count }, () => one)));
    await all;
    expect(seen.handled).toBe(count);
    expect(codesOf(warnings)).toEqual([]);
  });

  it.each([{}, { maxQueuedMessages: 3 }])('has all frames handled that it sent before connect was done: %j', async (options) => {
    const { connecting, all, receive } = slowly(count);
    const begun = deferred<{ isPaused(): boolean }>();
    const { port, warnings } = await serve(
      {
        connect: ({ request }) => {
          begun.resolve(request.socket);
          return connecting.promise;
        },
        receive,
      },
      { mode, ...options },
    );
    const one = frame('x');
    const client = await RawClient.upgrade(port, { head: Buffer.concat(Array.from({ length: count }, () => one)) });
    const raw = await begun.promise;
    for (let turn = 0; turn < 50 && !raw.isPaused(); turn += 1) await nextTurn();
    connecting.resolve();
    expect(await client.status()).toBe(101);
    await all;
    expect(codesOf(warnings)).toEqual([]);
  });
});

describe.each([false, true])('an application that sends by itself, too (compressed: %s)', (perMessageDeflate) => {
  it.each([
    ['behind', 3_000_000, 3_000_000],
    ['before', 3_000_000, 3_000_000],
    ['behind', 200_000, 3_000_000],
  ])('%s a clogged answer does not keep its client from being read: %i and %i bytes', async (order, answer, own) => {
    const { port, warnings } = await serve(
      {
        receive: ({ channel }) => {
          if (order === 'before') channel.socket?.send(randomBytes(own));
          channel.send(randomBytes(answer));
          if (order === 'behind') channel.socket?.send(randomBytes(own));
        },
      },
      { maxBufferedBytes: 64_000_000, upgrades: { ws: { perMessageDeflate: perMessageDeflate && { zlibDeflateOptions: { level: 0 } } } } },
    );
    const client = await WsClient.connect(port, { perMessageDeflate });
    client.socket.pause();
    for (let index = 0; index < 3; index += 1) client.send('x');
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
    client.socket.resume();
    expect(await client.take(6)).toHaveLength(6);
    expect(codesOf(warnings)).toEqual([]);
  });
});
