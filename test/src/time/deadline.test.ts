import { describe, expect, it, vi } from 'vitest';
import { TestClock } from '../../../entries/testing.js';
import { withDeadline } from '../../../src/time/deadline.js';
import { deferred } from '../../support/deferred.js';
import { pausedClock } from '../../support/paused-clock.js';

function setUp() {
  const clock = new TestClock();
  return { clock, deadline: { clock, ms: 100, onTimeout: () => new Error('too late') } };
}

describe('withDeadline', () => {
  it('gives what the operation gives, plain or promised, and leaves no timer', async () => {
    const { clock, deadline } = setUp();
    expect(await withDeadline(() => 1, deadline)).toBe(1);
    expect(await withDeadline(async () => 2, deadline)).toBe(2);
    expect(clock.pendingTimers).toBe(0);
  });

  it('costs no timer where the operation gives something plain', async () => {
    const { clock, deadline } = setUp();
    const setTimer = vi.spyOn(clock, 'setTimer');
    expect(await withDeadline(() => 1, deadline)).toBe(1);
    expect(setTimer).not.toHaveBeenCalled();
  });

  it('rejects where the operation throws at once or later', async () => {
    const { clock, deadline } = setUp();
    const boom = (): never => {
      throw new Error('boom');
    };
    await expect(withDeadline(boom, deadline)).rejects.toThrow('boom');
    await expect(withDeadline(async () => boom(), deadline)).rejects.toThrow('boom');
    expect(clock.pendingTimers).toBe(0);
  });

  it('rejects when time runs out', async () => {
    const { clock, deadline } = setUp();
    const outcome = expect(withDeadline(() => new Promise<never>(() => {}), deadline)).rejects.toThrow('too late');
    await clock.advance(100);
    await outcome;
    expect(clock.pendingTimers).toBe(0);
  });

  it('takes no notice of a failure or a success once time has run out', async () => {
    const { clock, deadline } = setUp();
    for (const late of [() => Promise.reject(new Error('late')), async () => 1]) {
      const gate = deferred();
      const pending = withDeadline(() => gate.promise.then(late), deadline);
      const outcome = expect(pending).rejects.toThrow('too late');
      await clock.advance(100);
      await outcome;
      gate.resolve();
      await clock.advance(0);
    }
  });

  it('takes an answer that came while the process was asleep, and goes on waiting no longer than a second without one', async () => {
    const { clock, timers, runDue } = pausedClock();
    const deadline = { clock, ms: 100, onTimeout: () => new Error('too late') };
    const answer = deferred<string>();
    const answered = withDeadline(() => answer.promise, deadline);
    const silent = expect(withDeadline(() => new Promise<never>(() => {}), deadline)).rejects.toThrow('too late');
    runDue(5_000);
    answer.resolve('it lay there');
    expect(await answered).toBe('it lay there');
    runDue(6_000);
    await silent;
    expect(timers.size).toBe(0);
  });
});
