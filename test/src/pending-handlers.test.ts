import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { TestClock } from '../../entries/testing.js';
import * as eventLoop from '../../src/event-loop.js';
import { isWaitedFor, type PendingHandler, PendingHandlers, pendingSince } from '../../src/pending-handlers.js';
import { pausedClock } from '../support/paused-clock.js';

/** Handlers that may take 100 ms each, and a log of what they are told. */
function waiting(timeoutMs = 100) {
  const clock = new TestClock();
  const handlers = new PendingHandlers(clock, timeoutMs);
  const log: string[] = [];
  const named = (name: string, since = 0): Required<PendingHandler> => ({
    [pendingSince]: since,
    [isWaitedFor]: false,
    outlasted: (ms) => void log.push(`${name} took longer than ${ms}`),
    abandon: () => void log.push(`${name} is given up`),
  });
  const begun = (name: string, since?: number): PendingHandler => {
    const handler = named(name, since);
    handlers.begin(handler);
    return handler;
  };
  return { clock, handlers, log, named, begun };
}

describe('a handler that is waited for', () => {
  it('is told once when its time is over, each by its own', async () => {
    const { clock, log, begun } = waiting();
    const one = begun('one');
    await clock.advance(40);
    const two = begun('two');
    await clock.advance(59);
    expect([log, one[isWaitedFor], clock.pendingTimers]).toEqual([[], true, 1]);
    await clock.advance(1);
    expect([log, one[isWaitedFor], two[isWaitedFor]]).toEqual([['one took longer than 100'], false, true]);
    await clock.advance(39);
    expect(log).toHaveLength(1);
    await clock.advance(1);
    expect([log.slice(1), two[isWaitedFor]]).toEqual([['two took longer than 100'], false]);
    await clock.advance(1_000);
    expect([log.length, clock.pendingTimers]).toEqual([2, 0]);
  });

  it('and is done in time is told nothing, and leaves those beside it their time', async () => {
    const { clock, handlers, log, begun } = waiting();
    const [one, two] = [begun('one'), begun('two')];
    await clock.advance(50);
    handlers.end(one);
    expect([one[isWaitedFor], two[isWaitedFor], clock.pendingTimers]).toEqual([false, true, 1]);
    await clock.advance(50);
    expect(log).toEqual(['two took longer than 100']);
  });

  it('and is the last one takes the timer along, and the next one gets another', async () => {
    const { clock, handlers, log, begun } = waiting();
    const one = begun('one');
    await clock.advance(50);
    handlers.end(one);
    expect(clock.pendingTimers).toBe(0);
    begun('two');
    await clock.advance(100);
    expect(log).toEqual(['two took longer than 100']);
  });

  it('is timed from when it first began, where it is begun again', async () => {
    const { clock, handlers, log, begun } = waiting();
    const one = begun('one', 30);
    await clock.advance(60);
    handlers.end(one);
    handlers.begin(one);
    await clock.advance(69);
    expect(log).toEqual([]);
    await clock.advance(1);
    expect(log).toEqual(['one took longer than 100']);
  });

  it('is one of those that are given up, once, though it was begun twice', async () => {
    const { handlers, log, begun } = waiting();
    const one = begun('one');
    await nextTurn();
    handlers.begin(one);
    handlers.abandonAll();
    expect(log).toEqual(['one is given up']);
  });

  it('may be done right after the process was asleep beyond its time, else it is told', async () => {
    const { clock, timers, runDue } = pausedClock();
    const handlers = new PendingHandlers(clock, 100);
    const { log, named } = waiting();
    const [one, two] = [named('one'), named('two')];
    for (const handler of [one, two]) handlers.begin(handler);
    await nextTurn();
    runDue(5_000);
    handlers.end(one);
    handlers.endLate(); // whoever comes first after the pause must not tell it either
    expect([log, one[isWaitedFor], two[isWaitedFor]]).toEqual([[], false, true]);
    runDue(6_000);
    expect([log, two[isWaitedFor], timers.size]).toEqual([['two took longer than 100'], false, 0]);
  });

  it('has for ever where there is no limit', async () => {
    const { clock, handlers, log, named, begun } = waiting(0);
    begun('one');
    handlers.beginLate(named('two'));
    await clock.advance(86_400_000);
    expect([log, clock.pendingTimers]).toEqual([[], 0]);
    handlers.abandonAll();
    expect(log.toSorted()).toEqual(['one is given up', 'two is given up']);
  });

  it.each(['begin', 'beginLate'] as const)('has its time also where that is a single millisecond (%s)', async (begin) => {
    const { clock, handlers, log, named } = waiting(1);
    handlers[begin](named('one'));
    await clock.advance(1);
    expect(log).toEqual(['one took longer than 1']);
  });
});

describe('a handler whose turn is over when it is waited for', () => {
  it('is timed from when it began, at once', async () => {
    const { clock, handlers, log, named } = waiting();
    const one = named('one', clock.monotonic());
    handlers.beginLate(one);
    expect([one[isWaitedFor], clock.pendingTimers]).toEqual([true, 1]);
    await clock.advance(99);
    expect(log).toEqual([]);
    await clock.advance(1);
    expect(log).toEqual(['one took longer than 100']);
  });

  it('is told at once where its time is over by then', async () => {
    const { clock, handlers, log, named } = waiting();
    await clock.advance(500);
    handlers.beginLate(named('one', 10));
    await clock.advance(0);
    expect(log).toEqual(['one took longer than 100']);
  });
});

describe('what is done within its turn', () => {
  it('costs no timer, and all that is begun in one turn costs one immediate', async () => {
    const { clock, handlers, begun } = waiting();
    const others = waiting();
    const immediates = vi.spyOn(eventLoop, 'setImmediate');
    const [turn, otherTurn] = [vi.spyOn(handlers, 'turnOver'), vi.spyOn(others.handlers, 'turnOver')];
    for (const name of ['one', 'two', 'three']) handlers.end(begun(name));
    others.begun('another');
    expect(immediates).toHaveBeenCalledTimes(1);
    await nextTurn();
    expect([turn.mock.calls.length, otherTurn.mock.calls.length]).toEqual([1, 1]);
    expect([clock.pendingTimers, others.clock.pendingTimers]).toEqual([0, 1]);
    others.begun('one more');
    await nextTurn();
    expect([turn.mock.calls.length, otherTurn.mock.calls.length]).toEqual([1, 2]);
    others.handlers.abandonAll();
  });
});

describe('a look at who is late', () => {
  it('tells those whose time is over, whatever the timer says', async () => {
    const { clock, handlers, log, begun } = waiting();
    await clock.advance(500);
    begun('one', 400);
    begun('two', 401);
    handlers.endLate();
    expect(log).toEqual(['one took longer than 100']);
    await clock.advance(1);
    expect(log).toEqual(['one took longer than 100', 'two took longer than 100']);
  });

  it('tells nobody who was ended by another one that was told', async () => {
    const { clock, handlers, log, named } = waiting();
    const [one, two] = [named('one'), named('two')];
    one.outlasted = () => handlers.end(two);
    for (const handler of [one, two]) handlers.begin(handler);
    await clock.advance(100);
    expect([log, one[isWaitedFor], two[isWaitedFor]]).toEqual([[], false, false]);
  });
});

describe('giving up', () => {
  it('tells all that are not done, in whatever turn they began, and leaves no timer', async () => {
    const { clock, handlers, log, begun } = waiting();
    const earlier = begun('earlier');
    await clock.advance(10);
    const [done, now] = [begun('done'), begun('now')];
    handlers.end(done);
    handlers.abandonAll();
    expect([log, earlier[isWaitedFor], now[isWaitedFor]]).toEqual([['earlier is given up', 'now is given up'], false, false]);
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(1_000);
    expect([log.length, clock.pendingTimers]).toEqual([2, 0]);
    handlers.abandonAll();
    expect(log).toHaveLength(2);
  });

  it('tells none while another one is still held to be waited for', () => {
    const { handlers, named } = waiting();
    const [one, two] = [named('one'), named('two')];
    const seen: boolean[] = [];
    one.abandon = () => void seen.push(two[isWaitedFor]);
    for (const handler of [one, two]) handlers.begin(handler);
    handlers.abandonAll();
    expect(seen).toEqual([false]);
  });
});
