import { describe, expect, it, vi } from 'vitest';
import { TestClock } from '../../../entries/testing.js';
import { Staleness } from '../../../src/live/staleness.js';

/** A channel of a source that notes what it is cut off for. */
function channelOf(source: object) {
  return { isOpen: true, identity: { source, verifiedAt: 0 }, cutOff: vi.fn() };
}

const [one, another] = [{}, {}];

/** A clock, who is asked for again and when, and channels that note what they are cut off for. */
function failing(maxStaleMs: number) {
  const clock = new TestClock();
  const asked: [at: number, channels: readonly unknown[]][] = [];
  const staleness = new Staleness(clock, maxStaleMs, (channels) => void asked.push([clock.monotonic(), channels]));
  const failed = (since = 0) => {
    const channel = channelOf(one);
    staleness.failed(channel as never, since);
    return channel;
  };
  return { clock, asked, staleness, failed };
}

describe('a channel of which nothing is known', () => {
  it('is asked for again after a second, then half as often each time, and once a minute at last', async () => {
    const { clock, asked, failed, staleness } = failing(Number.POSITIVE_INFINITY);
    failed();
    await clock.advance(200_000);
    expect(asked.map(([at]) => at / 1_000)).toEqual([1, 3, 7, 15, 31, 63, 123, 183]);
    staleness.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it('is cut off once that has lasted too long, and never asked for again', async () => {
    const { clock, asked, failed } = failing(500);
    const channel = failed();
    await clock.advance(499);
    expect(channel.cutOff).not.toHaveBeenCalled();
    await clock.advance(1);
    expect(channel.cutOff.mock.calls).toEqual([['ERR_GRANT_STALE']]);
    expect([asked, clock.pendingTimers]).toEqual([[], 0]);
  });

  it('counts from its first failure, however often it fails', async () => {
    const { clock, staleness, failed } = failing(500);
    const channel = failed(0);
    await clock.advance(400);
    staleness.failed(channel as never, 400);
    await clock.advance(100);
    expect(channel.cutOff).toHaveBeenCalledTimes(1);
  });

  it('is cut off by its own time, and asked for again when that is due, whoever failed before it', async () => {
    const { clock, asked, failed } = failing(700);
    const first = failed();
    await clock.advance(600);
    const second = failed(600);
    await clock.advance(100);
    expect([first.cutOff.mock.calls.length, second.cutOff.mock.calls.length, asked]).toEqual([1, 0, []]);
    await clock.advance(300);
    expect(asked).toEqual([[1_000, [second]]]);
    await clock.advance(300);
    expect([second.cutOff.mock.calls.length, clock.pendingTimers]).toEqual([1, 0]);
  });

  it('and begins to end by itself is neither cut off nor asked for again', async () => {
    const { clock, asked, failed } = failing(1_500);
    const [ending, other] = [failed(), failed()];
    ending.isOpen = false;
    await clock.advance(1_000);
    expect(asked).toEqual([[1_000, [other]]]);
    await clock.advance(500);
    expect([ending.cutOff.mock.calls.length, other.cutOff.mock.calls.length]).toEqual([0, 1]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('since it was not asked for yet has as long as if it had been, and is no failure where the first one is the end', async () => {
    for (const [maxStaleMs, ended] of [
      [500, 1],
      [0, 0],
    ] as const) {
      const { clock, staleness } = failing(maxStaleMs);
      const channel = channelOf(one);
      staleness.waits(channel as never);
      expect(channel.cutOff).not.toHaveBeenCalled();
      await clock.advance(500);
      expect([channel.cutOff.mock.calls.length, clock.pendingTimers]).toEqual([ended, 0]);
    }
  });

  it('is asked for again soon though another only waits for its turn, which is left to that', async () => {
    const { clock, asked, staleness, failed } = failing(5_000);
    const waiting = channelOf(another);
    staleness.waits(waiting as never);
    await clock.advance(500);
    const channel = failed(500);
    await clock.advance(1_000);
    expect(asked).toEqual([[1_500, [channel]]]);
    await clock.advance(3_500);
    expect([waiting.cutOff.mock.calls.length, channel.cutOff.mock.calls.length]).toEqual([1, 0]);
    await clock.advance(500);
    expect([channel.cutOff.mock.calls.length, clock.pendingTimers]).toEqual([1, 0]);
  });

  it('is not ended while it waits for its turn, once its source can tell of another', async () => {
    const { clock, staleness, failed } = failing(5_000);
    await clock.advance(1_000);
    const [waiting, elsewhere] = [channelOf(one), channelOf(another)];
    for (const channel of [waiting, elsewhere]) staleness.waits(channel as never);
    const answered = failed(1_000);
    answered.identity.verifiedAt = 1_000;
    staleness.answered(answered as never);
    const early = channelOf(another); // what was asked before says nothing of now
    early.identity.verifiedAt = 999;
    staleness.answered(early as never);
    await clock.advance(5_000);
    expect([waiting.cutOff.mock.calls.length, elsewhere.cutOff.mock.calls.length, clock.pendingTimers]).toEqual([0, 1, 0]);
  });

  it('is forgotten while it waits for its turn, if it ends or goes over to another source', async () => {
    const { clock, staleness } = failing(3_600_000);
    const [ended, gone] = [channelOf(one), channelOf(one)];
    for (const channel of [ended, gone]) staleness.waits(channel as never);
    [ended.isOpen, gone.identity.source] = [false, another];
    await clock.advance(60_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is cut off by its own time, though others that have longer failed before it', async () => {
    const { clock, failed } = failing(100_000);
    failed();
    await clock.advance(40_000);
    const channel = failed(-50_000);
    await clock.advance(10_000);
    expect(channel.cutOff).toHaveBeenCalledTimes(1);
    await clock.advance(50_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('and ends as the last one leaves no timer', async () => {
    const { clock, asked, failed } = failing(500);
    const channel = failed();
    channel.isOpen = false;
    await clock.advance(500);
    expect([channel.cutOff.mock.calls.length, asked, clock.pendingTimers]).toEqual([0, [], 0]);
  });

  it('is forgotten when something is known, and leaves the others their time', async () => {
    const { clock, asked, staleness, failed } = failing(5_000);
    const [known, other] = [failed(), failed()];
    staleness.answered(known as never);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(1_000);
    expect(asked).toEqual([[1_000, [other]]]);
    staleness.answered(other as never);
    expect(clock.pendingTimers).toBe(0);
    failed(1_000);
    await clock.advance(1_000);
    expect(asked.map(([at]) => at)).toEqual([1_000, 2_000]); // a second after this failure, as at first
    staleness.stop();
  });

  it('is cut off at once where it has been so for too long already', () => {
    const { clock, failed } = failing(0);
    const channel = failed();
    expect([channel.cutOff.mock.calls, clock.pendingTimers]).toEqual([[['ERR_GRANT_STALE']], 0]);
  });

  it('is forgotten with all others, where nobody is watched any more', async () => {
    const { clock, asked, staleness, failed } = failing(5_000);
    failed();
    staleness.stop();
    await clock.advance(500);
    const later = failed(500);
    await clock.advance(1_000);
    expect(asked).toEqual([[1_500, [later]]]);
    staleness.stop();
  });
});
