import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import type { Channel } from '../../../entries/index.js';
import { Outbox } from '../../../src/channel/outbox.js';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { frame, RawClient } from '../../support/raw-client.js';
import { modes, nextTurn, serve } from '../../support/serving.js';
import { codesOf } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';

/** Counts what the stream hands to the system: one call is one write of the operating system. */
function countWrites(raw: Socket): () => number {
  let writes = 0;
  for (const method of ['_write', '_writev'] as const) {
    const original = (raw[method] as (...given: unknown[]) => void).bind(raw);
    Object.assign(raw, {
      [method]: (...given: unknown[]) => {
        writes += 1;
        original(...given);
      },
    });
  }
  return () => writes;
}

/** A served channel with its raw socket, and the client that has connected to it. */
async function channelOf<Client>(connect: (port: number) => Promise<Client>, options: object = {}) {
  const opened = deferred<{ readonly channel: Channel; readonly raw: Socket }>();
  const gone = deferred<number>();
  const served = await serve(
    {
      connect: ({ channel, request }) => opened.resolve({ channel, raw: request.socket }),
      receive: ({ channel, text }) => void channel.send(text),
      disconnect: ({ code }) => gone.resolve(code),
    },
    options,
  );
  const client = await connect(served.port);
  await nextTurn();
  return { ...served, ...(await opened.promise), client, gone: gone.promise };
}

const connectWs = (port: number): Promise<WsClient> => WsClient.connect(port);

const connectRaw = (port: number): Promise<RawClient> => RawClient.connect(port);

/** A client that does not read. */
async function connectPaused(port: number): Promise<RawClient> {
  const client = await connectRaw(port);
  client.socket.pause();
  return client;
}

describe('frames sent within one tick', () => {
  it.each(modes)('leave in one write, in order (%s)', async (mode) => {
    const { channel, raw, client } = await channelOf(connectWs, { mode });
    const writes = countWrites(raw);
    for (let index = 0; index < 50; index += 1) channel.sendJson(index);
    await Promise.resolve();
    channel.send(Buffer.from([1]));
    await client.take(51);
    expect(writes()).toBe(1);
    channel.send('next tick');
    expect(await client.next()).toBe('next tick');
    expect(writes()).toBe(2);
    expect(client.received).toEqual([...Array.from({ length: 50 }, (_, index) => String(index)), Buffer.from([1]), 'next tick']);
  });

  it('are one piece of text to the socket, once it is known that ws does nothing else with them', async () => {
    const { channel, raw, client } = await channelOf(connectWs);
    channel.send('first');
    await client.next();
    const write = vi.spyOn(raw, 'write');
    for (const text of ['1', '2', '3']) channel.send(text);
    expect(await client.take(3)).toEqual(['1', '2', '3']);
    expect(write).toHaveBeenCalledTimes(1);
  });

  it('leave whenever 64 KiB are together, and not before', async () => {
    const { channel, raw, client } = await channelOf(connectWs);
    const writes = countWrites(raw);
    for (let index = 0; index < 63; index += 1) channel.send('x'.repeat(1_024));
    expect(writes()).toBe(0);
    channel.send('x'.repeat(1_024));
    expect(writes()).toBe(1);
    await client.take(64);
  });

  it('all leave before a close, with its code', async () => {
    const { channel, gone, client } = await channelOf(connectWs);
    for (let index = 0; index < 100; index += 1) channel.send('x'.repeat(100));
    channel.close(4001, 'done');
    expect(await client.closed()).toEqual({ code: 4001, reason: 'done' });
    expect(client.received).toHaveLength(100);
    expect(await gone).toBe(4001);
  });

  it('all leave before terminate, as far as the system takes them', async () => {
    const { channel, gone, client } = await channelOf(connectWs);
    channel.send('last words');
    channel.terminate();
    expect((await client.closed()).code).toBe(1006);
    expect(client.received).toEqual(['last words']);
    expect(await gone).toBe(1006);
  });

  it('answer messages that came together in one write', async () => {
    const { raw, client } = await channelOf(connectRaw);
    const writes = countWrites(raw);
    client.write(Buffer.concat(Array.from({ length: 20 }, (_, index) => frame(String(index)))));
    for (let index = 0; index < 20; index += 1) expect((await client.nextFrame()).payload.toString()).toBe(String(index));
    expect(writes()).toBeLessThanOrEqual(2);
  });
});

describe('a consumer that reads', () => {
  it.each([
    ['2,000 messages of 1 KB', 2_000, 1_024],
    ['one message of 2 MiB', 1, 2_097_152],
    ['seven messages of 1 MiB, which stay below eight times the bound', 7, 1_048_576],
  ])('is not cut by %s in one tick, and goes on', async (_what, count, bytes) => {
    const { channel, warnings, client } = await channelOf(connectWs);
    const text = 'x'.repeat(bytes);
    for (let index = 0; index < count; index += 1) expect(channel.send(text)).toBe(true);
    const received = await client.take(count);
    expect(received.every((message) => message === text)).toBe(true);
    expect(channel.send('and on')).toBe(true);
    expect(await client.next()).toBe('and on');
    expect(warnings).toEqual([]);
  });
});

describe.each([false, true])('a message longer than all that may wait (compressed: %s)', (perMessageDeflate) => {
  it('is delivered, and so is the next one', async () => {
    const { port, warnings } = await serve(
      { receive: ({ channel }) => void channel.send(Buffer.alloc(1_000_000, 7)) },
      { maxBufferedBytes: 65_536, upgrades: { ws: { perMessageDeflate } } },
    );
    const client = await WsClient.connect(port, { perMessageDeflate });
    client.send('x');
    client.send('y');
    const received = await client.take(2);
    expect(received.map(({ length }) => length)).toEqual([1_000_000, 1_000_000]);
    expect(codesOf(warnings)).toEqual([]);
  });
});

describe('a consumer that does not read', () => {
  it.each(modes)('is cut with 1013 while it is sent 200 MB, its memory bounded, its connection gone a second later (%s)', async (mode) => {
    const { channel, raw, clock, gone, warnings, channels } = await channelOf(connectPaused, { mode });
    const chunk = Buffer.alloc(65_536);
    let taken = 0;
    let most = 0;
    for (let sent = 0; sent < 200_000_000; sent += chunk.length) {
      if (channel.send(chunk)) taken += chunk.length;
      if (sent % (4 * chunk.length) === 0) await nextTurn();
      most = Math.max(most, raw.writableLength);
    }
    expect(taken).toBeLessThan(100_000_000);
    expect(most).toBeLessThan(9 * 1_048_576 + 2 * chunk.length);
    expect(channel.signal.aborted).toBe(true);
    expect(channel.send('more')).toBe(false);
    expect(codesOf(warnings)).toEqual(['ERR_SLOW_CONSUMER']);
    expect(raw.destroyed).toBe(false);
    await clock.advance(1_000);
    expect(await gone).toBe(1013);
    expect(raw.destroyed).toBe(true);
    expect(channels.channels.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is cut within one tick that adds more than eight times the bound', async () => {
    const { channel, raw, warnings } = await channelOf(connectPaused, { maxBufferedBytes: 262_144 });
    const chunk = Buffer.alloc(65_536);
    let refused = 0;
    for (let index = 0; index < 1_000; index += 1) if (!channel.send(chunk)) refused += 1;
    expect(refused).toBeGreaterThan(900);
    expect(raw.writableLength).toBeLessThan(10 * 262_144);
    expect(codesOf(warnings)).toEqual(['ERR_SLOW_CONSUMER']);
  });

  it('sees the close code when it reads again within the second', async () => {
    const { channel, gone, clock, client } = await channelOf(connectPaused, { maxBufferedBytes: 65_536 });
    const chunk = Buffer.alloc(65_536);
    while (channel.send(chunk)) await nextTurn();
    client.socket.resume();
    expect(await client.closeCode()).toBe(1013);
    client.finish();
    expect(await gone).toBe(1013);
    await eventually(() => expect(clock.pendingTimers).toBe(0));
  });
});

it('input that is held while ws compresses is held until the line is free, where the application has filled that meanwhile', () => {
  const raw = Object.assign(new EventEmitter(), { writableLength: 0, writableNeedDrain: false, cork() {}, uncork() {} });
  const sent = vi.fn<(data: Uint8Array, done: () => void) => void>();
  const socket = { extensions: 'permessage-deflate', bufferedAmount: 0, send: sent };
  const holdInput = vi.fn();
  const outbox = new Outbox(socket as never, raw as never, { holdInput }, 1_048_576);
  socket.bufferedAmount = 100_000;
  outbox.send(Buffer.alloc(100_000));
  expect(holdInput.mock.calls).toEqual([[true]]);
  Object.assign(raw, { writableLength: 100_000, writableNeedDrain: true });
  sent.mock.calls[0]?.[1]();
  expect(holdInput.mock.calls).toEqual([[true]]);
  Object.assign(raw, { writableLength: 0, writableNeedDrain: false });
  raw.emit('drain');
  expect(holdInput.mock.calls).toEqual([[true], [false]]);
});
