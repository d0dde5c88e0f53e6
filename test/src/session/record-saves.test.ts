import { describe, expect, it, vi } from 'vitest';
import { MemorySessionStore } from '../../../entries/memory.js';
import { TestClock } from '../../../entries/testing.js';
import type { Clock } from '../../../src/contracts/clock.js';
import type { SessionStore } from '../../../src/contracts/session-store.js';
import { ChannelError } from '../../../src/errors.js';
import { Events } from '../../../src/events.js';
import { SessionDraft } from '../../../src/session/session-draft.js';
import { SessionRecords } from '../../../src/session/session-records.js';
import { codesOf, expectProcessToLive } from '../../support/site.js';
import { StoppableClock } from '../../support/stoppable-clock.js';
import { storeWith } from '../../support/store-with.js';

expectProcessToLive();

const deadlineMs = 5_000;

/** The records of one process, on `store`. */
function processOn(store: SessionStore, clock: Clock, random: () => number = () => 1) {
  const errors: unknown[] = [];
  const settings = { store, ttlMs: 86_400_000, scope: 'user' as const };
  const events = new Events(clock);
  const records = new SessionRecords({ settings, clock, random, deadlineMs, events, report: (error) => errors.push(error) });
  return { records, errors };
}

/** A store where somebody else comes first with each of the next `left` saves. */
function contested(store: SessionStore, left: number) {
  let asked = 0;
  const save: SessionStore['save'] = async (id, session, version) => {
    asked += 1;
    if (left > 0) {
      left -= 1;
      const stored = await store.load(id);
      if (stored !== undefined) await store.save(id, { ...stored, version: stored.version + 1 }, stored.version);
    }
    return store.save(id, session, version);
  };
  return { store: storeWith(store, { save }), saves: () => asked };
}

async function contestedHold(left: number, random?: () => number) {
  const clock = new TestClock();
  const { store, saves } = contested(new MemorySessionStore({ clock }), left);
  const hold = processOn(store, clock, random).records.open('shared');
  await hold.load();
  await add(hold);
  return { clock, hold, saves };
}

type Hold = ReturnType<SessionRecords['open']>;

/** A message that adds one. */
async function add(hold: Hold): Promise<void> {
  const draft = new SessionDraft(hold);
  draft.update('count', (count: number | undefined) => (count ?? 0) + 1);
  await hold.commit(draft, { id: 'a-channel' });
}

describe('a save that others come before', () => {
  it('is tried again at once where that happens twice at most', async () => {
    const { hold, saves } = await contestedHold(2);
    await add(hold);
    expect([hold.values.get('count'), saves()]).toEqual([2, 3]);
  });

  it('waits from then on, longer each time, and as long as chance has it', async () => {
    const { clock, hold, saves } = await contestedHold(5, () => 0.5);
    const adding = add(hold);
    const savesAt: number[] = [];
    for (let ms = 0; ms <= 14; ms += 1) {
      await clock.advance(ms === 0 ? 0 : 1);
      savesAt.push(saves());
    }
    await adding;
    // half of 4, of 8 and of 16 ms
    expect(savesAt).toEqual([3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 6]);
    expect(hold.values.get('count')).toBe(2);
  });

  it('is a conflict once its deadline is over, and leaves the session as it was', async () => {
    const { clock, hold } = await contestedHold(Number.POSITIVE_INFINITY);
    const failure = add(hold).catch((error: unknown) => error);
    await clock.advance(deadlineMs + 1_000);
    expect(await failure).toBeInstanceOf(ChannelError);
    expect(codesOf([await failure])).toEqual(['ERR_SESSION_CONFLICT']);
    expect(hold.values.get('count')).toBe(1);
  });

  it('is tried once more where the process was asleep beyond its deadline, as others were not', async () => {
    const clock = new TestClock();
    const own = new StoppableClock(clock);
    const { store, saves } = contested(new MemorySessionStore({ clock }), 1);
    const asleep: SessionStore = {
      ...store,
      async save(...args) {
        if (saves() > 0) return store.save(...args);
        own.isStopped = true;
        await clock.advance(60_000);
        own.resume();
        return store.save(...args);
      },
    };
    const hold = processOn(asleep, own).records.open('shared');
    await hold.load();
    await add(hold);
    await add(hold);
    expect([hold.values.get('count'), saves()]).toEqual([2, 2]);
  });

  it('is tried no more than twice beyond its deadline where the store merely speaks of a conflict', async () => {
    const { clock, hold } = await contestedHold(0);
    let saves = 0;
    vi.spyOn(MemorySessionStore.prototype, 'save').mockImplementation(async () => {
      saves += 1;
      await clock.advance(deadlineMs - 1);
      throw new ChannelError('ERR_SESSION_CONFLICT', 'Somebody was there first.');
    });
    const failure = await add(hold).catch((error: unknown) => error);
    expect([codesOf([failure]), saves]).toEqual([['ERR_SESSION_CONFLICT'], 2]);
  });

  it('has as many attempts as the one before, which has used all of them', async () => {
    const { hold } = await contestedHold(0, () => 0);
    const save = vi.spyOn(MemorySessionStore.prototype, 'save');
    const refused = (times: number): void => {
      const conflict = new ChannelError('ERR_SESSION_CONFLICT', 'Somebody was there first.');
      for (let time = 0; time < times; time += 1) save.mockRejectedValueOnce(conflict);
    };
    refused(16);
    const failure = await add(hold).catch((error: unknown) => error);
    expect([codesOf([failure]), save.mock.calls.length]).toEqual([['ERR_SESSION_CONFLICT'], 16]);
    refused(15);
    await add(hold);
    expect([hold.values.get('count'), save.mock.calls.length]).toEqual([2, 32]);
  });

  it('takes along what is added while it waits', async () => {
    const { clock, hold, saves } = await contestedHold(3);
    const first = add(hold);
    await clock.advance(0);
    const others = [add(hold), add(hold)];
    await clock.advance(10);
    await Promise.all([first, ...others]);
    expect([hold.values.get('count'), saves()]).toEqual([4, 4]);
  });
});

describe('a save in a MemorySessionStore', () => {
  /** Two processes that share a session, which both have read. */
  async function twoProcesses() {
    const clock = new TestClock();
    const store = new MemorySessionStore({ clock });
    const hold = async (): Promise<Hold> => {
      const opened = processOn(store, clock).records.open('shared');
      await opened.load();
      return opened;
    };
    const first = await hold();
    await add(first);
    return { store, first, second: await hold() };
  }

  /** What a message that adds one has to wait for. */
  function adding(hold: Hold): Promise<void> | undefined {
    const draft = new SessionDraft(hold);
    draft.update('count', (count: number | undefined) => (count ?? 0) + 1);
    return hold.commit(draft, { id: 'a-channel' });
  }

  it('is done when the message is, without a promise', async () => {
    const { store, first } = await twoProcesses();
    const [one] = [adding(first), adding(first)];
    const before = await store.load('shared');
    expect([one, first.values.get('count'), before?.data, before?.version]).toEqual([undefined, 3, { count: 3 }, 3]);
  });

  it('waits its turn where somebody else came first, and loses nothing', async () => {
    const { store, first, second } = await twoProcesses();
    expect(adding(first)).toBeUndefined();
    const [late, behind] = [adding(second), adding(second)];
    expect([late, behind]).toEqual([expect.any(Promise), expect.any(Promise)]);
    await Promise.all([late, behind]);
    expect([second.values.get('count'), (await store.load('shared'))?.data]).toEqual([4, { count: 4 }]);
    expect(adding(second)).toBeUndefined();
  });

  it('fails where the session was destroyed, and brings nothing back', async () => {
    const { store, first } = await twoProcesses();
    await store.destroy('shared');
    const failures: unknown[] = [];
    for (const _ of [1, 2]) await adding(first)?.catch((error: unknown) => failures.push(error));
    expect([codesOf(failures), store.size]).toEqual([['ERR_SESSION_GONE', 'ERR_SESSION_GONE'], 0]);
  });

  it('goes through a save that the application has put in its place', async () => {
    const { store, first } = await twoProcesses();
    const versions: number[] = [];
    const { save } = store;
    store.save = (id, session, version) => {
      versions.push(session.version);
      return save.call(store, id, session, version);
    };
    await adding(first);
    expect([versions, (await store.load('shared'))?.version]).toEqual([[2], 2]);
  });

  it('calls the save that somebody has put in place of the ordinary one, for all stores too', async () => {
    const clock = new TestClock();
    const save = vi.spyOn(MemorySessionStore.prototype, 'save');
    const hold = processOn(new MemorySessionStore({ clock }), clock).records.open('shared');
    await hold.load();
    for (let count = 0; count < 3; count += 1) await add(hold);
    expect(save).toHaveBeenCalledTimes(2); // the first was a creation
  });

  it('takes nothing back from whoever saves while the function of an update runs again', async () => {
    const clock = new TestClock();
    const { records } = processOn(new MemorySessionStore({ clock }), clock);
    const [hold, other] = [records.open('shared'), records.open('shared')];
    await Promise.all([hold.load(), other.load()]);
    await add(hold);
    const draft = new SessionDraft(hold);
    let runs = 0;
    const adding: Promise<void>[] = [];
    draft.update('count', (count: number) => {
      runs += 1;
      if (runs === 2 || runs === 3) adding.push(add(other)); // once where it is saved without a wait, once in the queue
      return count + 1;
    });
    await add(other);
    await hold.commit(draft, { id: 'a-channel' });
    await Promise.all(adding);
    expect([runs, hold.values.get('count')]).toEqual([4, 5]);
  });
});

describe('a record in memory', () => {
  it('is let go of after the last of those who hold it, and not before', async () => {
    const clock = new TestClock();
    const { records } = processOn(new MemorySessionStore({ clock }), clock);
    const [one, other] = [records.open('shared'), records.open('shared')];
    await one.load();
    await add(one);
    await one.end();
    await one.end(); // once is enough, and twice is no more
    expect([other.values.get('count'), clock.pendingTimers]).toEqual([1, 1]);
    await other.end();
    expect(clock.pendingTimers).toBe(0);
    const late = records.open('shared');
    expect(late.values.size).toBe(0);
    await late.load();
    expect(late.values.get('count')).toBe(1);
  });

  it('is not needed where there is no store: the session lives on its channel, which has nobody to ask', async () => {
    const records = new SessionRecords({
      settings: { store: undefined, ttlMs: 86_400_000, scope: 'channel' },
      clock: new TestClock(),
      random: () => 1,
      deadlineMs,
      events: new Events(new TestClock()),
      report: () => undefined,
    });
    const session = records.open();
    const draft = new SessionDraft(session);
    draft.set('count', 1);
    expect([session.load(), session.commit(draft, { id: 'a-channel' }), session.outlivesChannel]).toEqual([undefined, undefined, false]);
    const next = new SessionDraft(session);
    next.set('count', 7);
    await next.reload();
    expect([next.get('count'), session.end()]).toEqual([1, undefined]);
  });

  it('of one channel’s own takes no change once that has ended', async () => {
    const clock = new TestClock();
    const store = new MemorySessionStore({ clock });
    const { records } = processOn(store, clock);
    const own = records.open();
    await add(own);
    const draft = new SessionDraft(own);
    draft.set('late', true);
    await own.end();
    expect(own.commit(draft, { id: 'a-channel' })).toBeUndefined();
    expect(store.size).toBe(0);
  });
});

it('a record is the same when it is read again, on a clock that tells fractions of milliseconds', async () => {
  const inner = new TestClock();
  const clock: Clock = {
    now: () => inner.now() + 0.5,
    monotonic: () => inner.monotonic() + 0.5,
    setTimer: (fn, ms) => inner.setTimer(fn, ms),
  };
  const hold = processOn(new MemorySessionStore({ clock }), clock).records.open('shared');
  await hold.load();
  await add(hold);
  await hold.reload();
  await add(hold);
  expect(hold.values.get('count')).toBe(2);
});
