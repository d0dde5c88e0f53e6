import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/time/system-clock.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the machine's clock", () => {
  it('tells the wall-clock time, and a monotonic one', () => {
    expect(systemClock.now()).toBe(Date.now());
    const before = systemClock.monotonic();
    vi.advanceTimersByTime(5);
    expect(systemClock.monotonic() - before).toBe(5);
  });

  it('calls once, and not where it was cancelled', () => {
    const called = vi.fn();
    const cancelled = vi.fn();
    systemClock.setTimer(called, 10);
    const cancel = systemClock.setTimer(cancelled, 10);
    cancel();
    vi.advanceTimersByTime(1_000);
    cancel();
    expect(called).toHaveBeenCalledTimes(1);
    expect(cancelled).not.toHaveBeenCalled();
  });

  it('waits past 2³¹ − 1 ms, where the timers of Node fire at once', () => {
    const days = 30 * 86_400_000;
    const called = vi.fn();
    systemClock.setTimer(called, days);
    vi.advanceTimersByTime(days - 1);
    expect(called).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(called).toHaveBeenCalledTimes(1);
  });
});
