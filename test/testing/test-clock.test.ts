import { describe, expect, it } from 'vitest';
import { TestClock } from '../../entries/testing.js';

describe('TestClock', () => {
  it('stands still until it is moved, and moves both its times', async () => {
    const clock = new TestClock(1_000_000);
    expect([clock.now(), clock.monotonic()]).toEqual([1_000_000, 0]);
    await clock.advance(250.5);
    expect([clock.now(), clock.monotonic()]).toEqual([1_000_250.5, 250.5]);
    expect(new TestClock().now()).toBe(Date.UTC(2026, 0, 1));
  });

  it('runs due timers in order of their time, then in the order in which they were set, each at its own time', async () => {
    const clock = new TestClock(0);
    const runs: string[] = [];
    const run = (name: string) => () => runs.push(`${name}@${clock.monotonic()}`);
    clock.setTimer(run('late'), 20);
    clock.setTimer(run('early'), 10);
    clock.setTimer(run('also late'), 20);
    clock.setTimer(run('too late'), 31);
    await clock.advance(30);
    expect(runs).toEqual(['early@10', 'late@20', 'also late@20']);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(1);
    expect(runs.at(-1)).toBe('too late@31');
  });

  it('runs timers that other timers, and promises behind them, set', async () => {
    const clock = new TestClock(0);
    const runs: number[] = [];
    const tick = async (): Promise<void> => {
      runs.push(clock.monotonic());
      for (let turn = 0; turn < 20; turn += 1) await undefined;
      clock.setTimer(() => void tick(), 10);
    };
    clock.setTimer(() => void tick(), 10);
    await clock.advance(45);
    expect(runs).toEqual([10, 20, 30, 40]);
    expect(clock.pendingTimers).toBe(1);
  });

  it('lets promises settle first: a timer that they set is not missed', async () => {
    const clock = new TestClock(0);
    let ran = false;
    void Promise.resolve().then(() => clock.setTimer(() => (ran = true), 0));
    await clock.advance(0);
    expect(ran).toBe(true);
  });

  it('does not run a cancelled timer, and takes a late or second cancellation', async () => {
    const clock = new TestClock();
    let runs = 0;
    const cancel = clock.setTimer(() => (runs += 1), 10);
    const cancelLate = clock.setTimer(() => (runs += 1), 10);
    cancel();
    cancel();
    await clock.advance(10);
    cancelLate();
    expect([runs, clock.pendingTimers]).toEqual([1, 0]);
  });

  it('keeps timers past 2³¹ − 1 ms', async () => {
    const clock = new TestClock();
    let ran = false;
    clock.setTimer(() => (ran = true), 2 ** 32);
    await clock.advance(2 ** 32 - 1);
    expect(ran).toBe(false);
    await clock.advance(1);
    expect(ran).toBe(true);
  });

  it('moves the wall clock alone when it jumps', async () => {
    const clock = new TestClock(1000);
    let ran = false;
    clock.setTimer(() => (ran = true), 10);
    await clock.advance(5);
    clock.jump(3_600_000);
    expect([clock.now(), clock.monotonic(), ran]).toEqual([3_601_005, 5, false]);
    clock.jump(-7_200_000);
    expect(clock.now()).toBe(-3_598_995);
    clock.setTime(42);
    expect([clock.now(), clock.monotonic()]).toEqual([42, 5]);
    await clock.advance(5);
    expect([clock.now(), clock.monotonic(), ran]).toEqual([47, 10, true]);
  });

  it('adds up calls of advance that overlap', async () => {
    const clock = new TestClock(0);
    const runs: number[] = [];
    for (const ms of [5, 15, 25]) clock.setTimer(() => runs.push(clock.monotonic()), ms);
    await Promise.all([clock.advance(10), clock.advance(10)]);
    expect([runs, clock.monotonic()]).toEqual([[5, 15], 20]);
  });

  it('hands on what a timer throws, and can be moved on', async () => {
    const clock = new TestClock(0);
    clock.setTimer(() => {
      throw new RangeError('from the timer');
    }, 10);
    await expect(clock.advance(20)).rejects.toBeInstanceOf(RangeError);
    await clock.advance(1);
    expect([clock.monotonic(), clock.pendingTimers]).toEqual([21, 0]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, '5'])('refuses %s milliseconds', async (bad) => {
    const clock = new TestClock();
    await expect(clock.advance(bad as number)).rejects.toBeInstanceOf(TypeError);
    expect(() => clock.setTimer(() => {}, bad as number)).toThrow(TypeError);
    expect(() => clock.setTimer('fn' as never, 1)).toThrow(TypeError);
    if (bad !== -1) expect(() => new TestClock(bad as number)).toThrow(TypeError);
    expect(clock.pendingTimers).toBe(0);
  });
});
