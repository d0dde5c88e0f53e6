import { EventEmitter, once } from 'node:events';
import type { Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type Channel, type ChannelEvent, ChannelServer, type Clock } from '../../../entries/index.js';
import { connectTo, TestClock } from '../../../entries/testing.js';
import { beatPlace, beatSlot, Heartbeat, heard, isPinged } from '../../../src/channel/heartbeat.js';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { compressedFrame } from '../../support/frames.js';
import { frame, opcodes, RawClient } from '../../support/raw-client.js';
import { modes, nextTurn, serve } from '../../support/serving.js';
import { StoppableClock } from '../../support/stoppable-clock.js';
import { WsClient } from '../../support/ws-client.js';

/** What of the reader of ws inflates. */
interface Inflating {
  decompress(...given: readonly unknown[]): void;
}

/** Counts the messages and pongs that have come on `channel`. */
function countHeard({ socket }: Channel): () => number {
  let count = 0;
  for (const event of ['message', 'pong']) {
    socket?.on(event, () => {
      count += 1;
    });
  }
  return () => count;
}

/** A client on a bare socket, which answers nothing by itself. */
async function connectRaw(port: number): Promise<RawClient> {
  const client = await RawClient.connect(port);
  expect((await client.nextFrame()).payload.toString()).toBe('ready');
  return client;
}

describe.each(modes)('heartbeatMs (%s)', (mode) => {
  const ready = ({ channel }: { channel: { send(data: string): boolean } }): void => void channel.send('ready');

  /** A server whose beat has three seconds, and how many it pings at a time. */
  async function servePinging() {
    const pinged: number[] = [];
    const onEvent = (event: ChannelEvent): unknown => event.type === 'heartbeat' && pinged.push(event.pinged);
    return { ...(await serve({ connect: ready }, { mode, heartbeatMs: 3_000, onEvent })), pinged };
  }

  it('pings a channel that was silent for a beat, and drops it after another, once disconnect has been run', async () => {
    const codes: number[] = [];
    const events: unknown[] = [];
    const { port, channels, clock, errors } = await serve(
      { connect: ready, disconnect: ({ code }) => void codes.push(code) },
      { mode, onEvent: (event) => event.type === 'heartbeat' && events.push(event) },
    );
    const client = await connectRaw(port);
    await clock.advance(29_999);
    expect(events).toEqual([]);
    await clock.advance(1);
    expect((await client.nextFrame()).opcode).toBe(opcodes.ping);
    await clock.advance(29_999);
    expect(channels.channels.size).toBe(1);
    await clock.advance(1);
    await client.ended();
    await eventually(() => expect(codes).toEqual([1006]));
    expect(events).toEqual([
      { type: 'heartbeat', pinged: 1, silent: 0 },
      { type: 'heartbeat', pinged: 0, silent: 1 },
    ]);
    expect([channels.channels.size, clock.pendingTimers, errors]).toEqual([0, 0, []]);
  });

  it('leaves alone whoever answers or says anything', async () => {
    const { port, channels, clock, pinged } = await servePinging();
    const answering = await WsClient.connect(port);
    const speaking = await connectRaw(port);
    const [answers, words] = [...channels.channels].map(countHeard) as [() => number, () => number];
    for (let beat = 0; beat < 10; beat += 1) {
      speaking.write(beat % 2 === 0 ? frame('still here') : frame('', opcodes.pong));
      while (words() <= beat) await nextTurn();
      await clock.advance(3_000);
      while (answers() < pinged.length) await nextTurn();
    }
    expect(channels.channels.size).toBe(2);
    expect(answering.socket.readyState).toBe(answering.socket.OPEN);
  });

  it('drops a silent channel also where its line is a stream that is no socket, and leaves alone who answers there', async () => {
    const codes: number[] = [];
    const { http, channels, clock } = await serve({ disconnect: ({ code }) => void codes.push(code) }, { mode });
    const connect = async (autoPong: boolean): Promise<WebSocket> => {
      const [near, far] = duplexPair();
      const client = new WebSocket('ws://localhost', { autoPong, perMessageDeflate: false, createConnection: () => near as never });
      http.emit('connection', far);
      await once(client, 'open');
      return client;
    };
    const [answering, silent] = [await connect(true), await connect(false)];
    for (let beat = 0; beat < 3; beat += 1) {
      await clock.advance(30_000);
      for (let turn = 0; turn < 4; turn += 1) await nextTurn();
    }
    await eventually(() => expect(codes).toEqual([1006]));
    expect(channels.channels.size).toBe(1);
    for (const client of [answering, silent]) client.terminate();
    for (const channel of channels.channels) channel.terminate(); // the end of one such stream is not the end of the other
  });

  it('is off at 0', async () => {
    const { port, channels, clock } = await serve({ connect: ready }, { mode, heartbeatMs: 0 });
    await connectRaw(port);
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(1_000_000);
    expect(channels.channels.size).toBe(1);
  });

  it('does not take input that is held for silence', async () => {
    const working = deferred();
    const { port, channels, clock } = await serve(
      { connect: ready, receive: () => working.promise },
      { mode, heartbeatMs: 1_000, maxQueuedMessages: 2 },
    );
    const client = await connectRaw(port);
    for (let index = 0; index < 5; index += 1) client.write(frame('busy'));
    const [channel] = channels.channels;
    await eventually(() => expect(channel?.socket?.isPaused).toBe(true));
    await clock.advance(10_000);
    expect(channels.channels.size).toBe(1);
    working.resolve();
    await eventually(() => expect(channel?.socket?.isPaused).toBe(false));
    await clock.advance(3_000);
    await client.ended();
    await eventually(() => expect(channels.channels.size).toBe(0));
  });

  it('drops a frozen peer that is sent more than its line takes', async () => {
    const { port, channels, clock } = await serve({ connect: ready, receive: () => undefined }, { mode, heartbeatMs: 1_000 });
    const client = await connectRaw(port);
    client.socket.pause();
    const [channel] = channels.channels;
    const chunk = 'x'.repeat(65_536);
    while (channel?.socket?.bufferedAmount === 0) {
      channel.send(chunk);
      await nextTurn();
    }
    await nextTurn();
    await clock.advance(3_000);
    await eventually(() => expect(channels.channels.size).toBe(0));
  });

  it('spreads its pings over the beat, where many channels come at once, with one timer', async () => {
    const { port, clock, channels, pinged } = await servePinging();
    await Promise.all(Array.from({ length: 100 }, () => connectRaw(port)));
    expect(channels.channels.size).toBe(100);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(5_900);
    expect(pinged.reduce((sum, count) => sum + count, 0)).toBe(100);
    expect(Math.max(...pinged)).toBeLessThanOrEqual(32);
  });

  it('pings who stays, whoever has left, before and behind it in its slot', async () => {
    const { port, clock, channels, pinged } = await servePinging();
    const alone = await connectRaw(port); // looked at before the others, which share a slot
    const [before, staying, behind] = [await connectRaw(port), await connectRaw(port), await connectRaw(port)];
    await clock.advance(200);
    for (const [index, leaving] of [alone, before, behind].entries()) {
      leaving.reset();
      await eventually(() => expect(channels.channels.size).toBe(3 - index));
    }
    await clock.advance(3_000);
    expect(pinged).toEqual([1]);
    expect((await staying.nextFrame()).opcode).toBe(opcodes.ping);
  });

  it('pings who stays, though another one has come and gone at once', async () => {
    const { port, clock, channels, pinged } = await servePinging();
    const [staying, brief] = [await connectRaw(port), await connectRaw(port)];
    brief.reset();
    await eventually(() => expect(channels.channels.size).toBe(1));
    await clock.advance(3_000);
    expect(pinged).toEqual([1]);
    expect((await staying.nextFrame()).opcode).toBe(opcodes.ping);
  });

  it('pings who came later a beat after they came, whoever has come and gone meanwhile', async () => {
    const { port, clock, channels, pinged } = await servePinging();
    const first = await connectRaw(port);
    await clock.advance(1_250);
    const brief = await connectRaw(port);
    const second = await connectRaw(port);
    brief.reset();
    await eventually(() => expect(channels.channels.size).toBe(2));
    await clock.advance(1_750);
    expect(pinged).toEqual([1]);
    expect((await first.nextFrame()).opcode).toBe(opcodes.ping);
    await clock.advance(1_200);
    expect(pinged).toEqual([1]);
    await clock.advance(200);
    expect((await second.nextFrame()).opcode).toBe(opcodes.ping);
    expect(pinged).toEqual([1, 1]);
    expect(clock.pendingTimers).toBe(1);
    first.reset();
    second.reset();
    await eventually(() => expect(channels.channels.size).toBe(0));
    expect(clock.pendingTimers).toBe(0);
  });
});

it('a channel whose input ws holds while it inflates is not taken for a silent one', async () => {
  const onEvent = vi.fn();
  const { port, channels, clock } = await serve(
    { receive: () => undefined },
    { heartbeatMs: 1_000, upgrades: { ws: { perMessageDeflate: true } }, onEvent },
  );
  const client = await RawClient.connect(port, { headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } });
  const [channel] = channels.channels;
  const { _receiver: receiver, _socket: raw } = channel!.socket as unknown as { _receiver: Inflating; _socket: Socket };
  const inflate = receiver.decompress.bind(receiver);
  const inflated = deferred();
  receiver.decompress = (...given) => void inflated.promise.then(() => inflate(...given));
  client.write(Buffer.concat([compressedFrame('much'), frame('a'.repeat(100_000))]));
  await eventually(() => expect(raw.isPaused()).toBe(true));
  onEvent.mockClear();
  await clock.advance(10_000);
  expect(onEvent).not.toHaveBeenCalled();
  inflated.resolve();
  await eventually(() => expect(raw.isPaused()).toBe(false));
  await clock.advance(3_000);
  await eventually(() => expect(channels.channels.size).toBe(0));
});

describe('the heartbeat of a second', () => {
  const makeHeartbeat = (clock: Clock): Heartbeat => new Heartbeat(clock, { isHeard: () => false } as never, 1_000);

  /** A channel whose socket is in `readyState`, the newcomer at `place`. */
  function makeChannel(readyState: number, readers: number, place: number) {
    const socket = Object.assign(new EventEmitter(), { readyState, OPEN: 1, isPaused: false, ping: vi.fn() });
    const told = { leaving: vi.fn(), silent: vi.fn() };
    const raw = { bytesRead: 0, isPaused: () => false, listenerCount: () => readers };
    return { [heard]: 0, [isPinged]: false, [beatSlot]: -1, [beatPlace]: place, isLive: true, raw, socket, ...told };
  }

  /** Such a channel, and how often each thing was done to it. */
  function beating(readyState: number, readers = 1, clock = new TestClock(), own: Clock = clock) {
    const heartbeat = makeHeartbeat(own);
    const channel = makeChannel(readyState, readers, 0);
    const { socket, raw, silent, leaving } = channel;
    heartbeat.newcomers.push(channel as never);
    heartbeat.begin();
    const counts = (): number[] => [socket.ping, silent, leaving].map(({ mock }) => mock.calls.length);
    return { clock, heartbeat, raw, socket, channel, counts };
  }

  it('pings all who stay and nobody who has left, whatever their places in several slots', async () => {
    const clock = new TestClock();
    const heartbeat = makeHeartbeat(clock);
    const channels = Array.from({ length: 100 }, (_, place) => makeChannel(1, 1, place));
    heartbeat.newcomers.push(...(channels as never[]));
    heartbeat.begin();
    const hasLeft = channels.map((_, index) => index % 3 === 0);
    for (const [index, channel] of channels.entries()) if (hasLeft[index]) heartbeat.delete(channel as never);
    await clock.advance(1_500);
    expect(channels.map(({ socket }) => socket.ping.mock.calls.length)).toEqual(hasLeft.map((left) => (left ? 0 : 1)));
  });

  it('tells a channel that its peer has closed unnoticed, and neither pings nor drops it', async () => {
    const { clock, heartbeat, channel, counts } = beating(2);
    await clock.advance(1_000);
    expect(counts()).toEqual([0, 0, 1]);
    heartbeat.delete(channel as never);
    expect(clock.pendingTimers).toBe(0);
  });

  it('goes by what the socket tells has arrived where nobody reads the raw one, as under Bun', async () => {
    const { clock, heartbeat, socket, channel, counts } = beating(1, 0);
    await clock.advance(1_000);
    for (const event of ['message', 'ping', 'pong']) {
      socket.emit(event);
      await clock.advance(1_000);
    }
    expect(counts()).toEqual([1, 0, 0]);
    await clock.advance(2_000);
    expect(counts()).toEqual([2, 1, 0]);
    heartbeat.delete(channel as never);
    expect(clock.pendingTimers).toBe(0);
  });

  it('lets what has come be read first where the process was asleep', async () => {
    const clock = new TestClock();
    const own = new StoppableClock(clock);
    const { raw, counts } = beating(1, 1, clock, own);
    await clock.advance(1_000);
    expect(counts()).toEqual([1, 0, 0]);
    own.isStopped = true;
    await clock.advance(60_000);
    own.resume();
    expect(counts()).toEqual([1, 0, 0]);
    raw.bytesRead += 1;
    await clock.advance(1_000);
    expect(counts()).toEqual([1, 0, 0]);
    await clock.advance(2_000);
    expect(counts()).toEqual([2, 1, 0]);
  });

  it('stops where only channels are left of whose line nothing can be told', async () => {
    const { clock, heartbeat, channel } = beating(1);
    heartbeat.newcomers.push({ ...channel, socket: undefined } as never);
    heartbeat.delete(channel as never);
    expect([heartbeat.isBeating, clock.pendingTimers]).toEqual([true, 1]);
    await clock.advance(1_000);
    expect([heartbeat.isBeating, clock.pendingTimers]).toEqual([false, 0]);
  });

  it('pings nobody from whom something comes in each beat', async () => {
    const { clock, heartbeat, raw, channel, counts } = beating(1);
    for (let beat = 0; beat < 5; beat += 1) {
      raw.bytesRead += 1;
      await clock.advance(1_000);
    }
    expect(counts()).toEqual([0, 0, 0]);
    await clock.advance(2_000);
    expect(counts()).toEqual([1, 1, 0]);
    heartbeat.delete(channel as never);
    expect(clock.pendingTimers).toBe(0);
  });
});

it('connectTo is never pinged, and has no timer for it', async () => {
  const clock = new TestClock();
  const channels = new ChannelServer({ receive: () => undefined }, { clock });
  const client = await connectTo(channels);
  expect(clock.pendingTimers).toBe(0);
  await clock.advance(1_000_000);
  expect(client.closed).toBe(undefined);
});

it.each([-1, 0.5, Number.NaN, 2_147_483_648, '5', null])('a heartbeatMs of %s is a TypeError', (heartbeatMs) => {
  expect(() => new ChannelServer({ receive: () => undefined }, { heartbeatMs: heartbeatMs as number })).toThrow(TypeError);
});
