import { EventEmitter } from 'node:events';
import type { ChangeStream, ChangeStreamDocument, ChangeStreamOptions } from 'mongodb';
import { expect, it } from 'vitest';
import { ChangeFollower } from '../../../adapters/mongodb/change-follower.js';
import { Operations } from '../../../adapters/mongodb/operations.js';
import { TestClock } from '../../../entries/testing.js';

/** A change stream whose server answers when the test says so. */
class FakeStream extends EventEmitter {
  readonly resumeToken = { _data: 'here' };
  isClosed = false;
  #fail: (error: Error) => void = () => undefined;

  /** The server has answered, without a change. */
  answers(): void {
    this.emit('resumeTokenChanged', this.resumeToken);
  }

  fails(error: Error): void {
    this.#fail(error);
  }

  next(): Promise<ChangeStreamDocument> {
    return new Promise((_, reject) => {
      this.#fail = reject;
    });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.#fail(new Error('It is closed.'));
  }
}

/** Follows streams that a test holds in its hands, and notes with what they are opened and what is told. */
function following(timeoutMs?: number) {
  const clock = new TestClock();
  const streams: FakeStream[] = [];
  const opened: ChangeStreamOptions[] = [];
  const told: string[] = [];
  const follower = new ChangeFollower('A test', new Operations({ clock, timeoutMs }), {
    without: 'nothing is heard',
    options: async () => ({}),
    watch(options) {
      const stream = new FakeStream();
      streams.push(stream);
      opened.push(options);
      return stream as unknown as ChangeStream;
    },
    changed: () => undefined,
    gap: () => void told.push('gap'),
    failed: () => void told.push('failed'),
    restored: () => void told.push('restored'),
  });
  const begin = async (): Promise<FakeStream> => {
    const beginning = follower.begin();
    await clock.advance(0);
    streams[0]!.answers();
    await beginning;
    return streams[0]!;
  };
  return { clock, streams, opened, told, follower, begin };
}

it('a stream of which nothing is heard for half a minute is closed, and another one goes on where it was', async () => {
  const { clock, streams, opened, told, follower, begin } = following();
  const stream = await begin();
  for (let second = 0; second < 40; second += 1) {
    stream.answers();
    await clock.advance(1_000);
  }
  expect([streams.length, stream.isClosed]).toEqual([1, false]);
  let silentMs = 0;
  for (; streams.length === 1 && silentMs < 60_000; silentMs += 100) await clock.advance(100);
  expect([silentMs > 15_000, silentMs < 31_000, stream.isClosed]).toEqual([true, true, true]);
  expect(opened[1]).toMatchObject({ resumeAfter: stream.resumeToken });
  streams[1]!.answers();
  await clock.advance(1);
  expect(told).toEqual([]);
  await follower.stop();
  expect(clock.pendingTimers).toBe(0);
});

it('the place is kept while the server does not answer in time, which it gets more and more of, and given up at last', async () => {
  const { clock, streams, opened, told, follower, begin } = following();
  const stream = await begin();
  stream.fails(new Error('The line is cut.'));
  await clock.advance(100);
  const waitedMs: number[] = [];
  for (let attempt = 1; opened[attempt]?.resumeAfter !== undefined; attempt += 1) {
    const beganAt = clock.monotonic();
    while (!streams[attempt]!.isClosed) await clock.advance(1_000);
    waitedMs.push(clock.monotonic() - beganAt);
    while (streams.length === attempt + 1) await clock.advance(10);
  }
  expect(waitedMs.map((ms) => Math.round(ms / 1_000))).toEqual([3, 6, 12, 24, 48, 60]);
  expect(told).toEqual(Array.from({ length: 6 }, () => 'failed'));
  streams.at(-1)!.answers();
  await clock.advance(1);
  expect(told.slice(6)).toEqual(['restored', 'gap']);
  await follower.stop();
});

it('a server that finds the place only after a while goes on there, without a gap', async () => {
  const { clock, streams, opened, told, follower, begin } = following();
  (await begin()).fails(new Error('The line is cut.'));
  await clock.advance(100);
  await clock.advance(3_000);
  await clock.advance(200);
  await clock.advance(5_000);
  expect([streams.length, opened[2]?.resumeAfter]).toEqual([3, { _data: 'here' }]);
  streams[2]!.answers();
  await clock.advance(1);
  expect(told).toEqual(['failed', 'restored']);
  await follower.stop();
});
