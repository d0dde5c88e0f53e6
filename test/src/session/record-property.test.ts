import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemorySessionStore } from '../../../entries/memory.js';
import { ChannelError } from '../../../src/errors.js';
import { Events } from '../../../src/events.js';
import { SessionDraft } from '../../../src/session/session-draft.js';
import { SessionRecords } from '../../../src/session/session-records.js';
import { systemClock } from '../../../src/time/system-clock.js';
import { countingStore } from '../../support/counting-store.js';
import { codesOf, expectProcessToLive } from '../../support/site.js';

expectProcessToLive();

/** What one message does: it adds to a counter of all and to one of its channel, and pairs two keys that must agree. */
interface Step {
  readonly channel: number;
  /** How many turns of the event loop its handler takes, the commit included or not. */
  readonly turns: number;
  readonly outcome: 'succeeds' | 'fails' | 'is discarded' | 'reloads first' | 'throws in its update';
}

const channelCount = 4;
const step = fc.record({
  channel: fc.nat(channelCount - 1),
  turns: fc.nat(3),
  outcome: fc.constantFrom<Step['outcome']>('succeeds', 'succeeds', 'fails', 'is discarded', 'reloads first', 'throws in its update'),
});
const plan = fc.record({
  processes: fc.integer({ min: 1, max: 2 }),
  turns: fc.array(fc.nat(2), { minLength: 1, maxLength: 8 }),
  isNear: fc.boolean(),
  steps: fc.array(step, { maxLength: 24 }),
});

type Hold = ReturnType<SessionRecords['open']>;

const plusOne = (value: number | undefined): number => (value ?? 0) + 1;

/** Runs one message; whether its changes were saved. */
async function run(hold: Hold, { channel, turns, outcome }: Step): Promise<boolean> {
  const draft = new SessionDraft(hold);
  if (outcome === 'reloads first') await draft.reload();
  const before = Number(draft.get('all') ?? 0);
  draft.update('all', plusOne);
  const right = draft.get('right');
  for (let left = turns; left > 0; left -= 1) await nextTurn();
  expect(draft.get('right')).toBe(right);
  expect(draft.get('all')).toBe(before + 1); // nobody else's changes come into a message that runs
  draft.update(`of ${channel}`, plusOne);
  if (outcome === 'throws in its update') {
    let calls = 0;
    draft.update('gate', (value: number | undefined) => {
      calls += 1;
      if (calls > 1) throw new RangeError('not on what others made of it');
      return plusOne(value);
    });
  }
  draft.update('left', plusOne);
  draft.update('right', plusOne);
  if (outcome === 'fails') {
    draft.seal();
    return false;
  }
  if (outcome === 'is discarded') draft.discard();
  await hold.commit(draft, { id: 'a-channel' });
  return outcome !== 'is discarded';
}

/** Not saved, with an error that a message may come to. */
function isExpected(error: unknown): false {
  if (error instanceof ChannelError || error instanceof RangeError) return false;
  throw error;
}

/** Runs the messages of each channel one after the other, those of different channels beside one another. */
async function runAll(holds: readonly Hold[], steps: readonly Step[]): Promise<number[]> {
  return Promise.all(
    holds.map(async (hold, channel) => {
      let saved = 0;
      for (const each of steps.filter((one) => one.channel === channel)) {
        if (await run(hold, each).catch(isExpected)) saved += 1;
      }
      return saved;
    }),
  );
}

interface Sited {
  readonly processes: number;
  readonly turns: readonly number[];
  /** Whether the first process has the store in its own memory. */
  readonly isNear: boolean;
}

function processesOn(store: MemorySessionStore, { processes, turns, isNear }: Sited) {
  const errors: unknown[] = [];
  const all = Array.from({ length: processes }, (_, index) => {
    let asked = 0;
    const far = countingStore(store, () => turns[(asked++ % turns.length) as number] as number).store;
    const settings = { store: isNear && index === 0 ? store : far, ttlMs: 86_400_000, scope: 'user' as const };
    const context = {
      settings,
      clock: systemClock,
      random: () => 0.1,
      deadlineMs: 5_000,
      events: new Events(systemClock),
      report: (error: unknown) => errors.push(error),
    };
    return new SessionRecords(context);
  });
  return { all, errors };
}

describe('messages of four channels of one session, in one process or two', () => {
  it('lose no update, save no message by halves, and see nothing of one another while they run', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async ({ steps, ...site }) => {
        const store = new MemorySessionStore();
        const { all, errors } = processesOn(store, site);
        const holds = Array.from({ length: channelCount }, (_, channel) => (all[channel % all.length] as SessionRecords).open('shared'));
        await Promise.all(holds.map((hold) => hold.load()));
        const saved = await runAll(holds, steps);
        const total = saved.reduce((sum, count) => sum + count, 0);
        const { gate: _gate, ...data } = { ...(await store.load('shared'))?.data };
        const expected = { all: total, left: total, right: total };
        const own = saved.flatMap((count, channel) => (count === 0 ? [] : [[`of ${channel}`, count]]));
        expect(data).toEqual(total === 0 ? {} : { ...expected, ...Object.fromEntries(own) });
        expect(codesOf(errors)).toEqual([]);
        for (const hold of holds) await hold.end();
      }),
      { numRuns: 60 },
    );
  });

  it('bring a session back that was destroyed among them in no case', async () => {
    await fc.assert(
      fc.asyncProperty(plan, fc.nat(6), async ({ steps, ...site }, when) => {
        const store = new MemorySessionStore();
        const { all } = processesOn(store, site);
        const holds = Array.from({ length: channelCount }, (_, channel) => (all[channel % all.length] as SessionRecords).open('shared'));
        await run(holds[0] as Hold, { channel: 0, turns: 0, outcome: 'succeeds' });
        await Promise.all(holds.map((hold) => hold.load()));
        const running = runAll(holds, steps);
        for (let left = when; left > 0; left -= 1) await nextTurn();
        await store.destroy('shared');
        await running;
        expect(store.size).toBe(0);
        for (const hold of holds) await hold.end();
      }),
      { numRuns: 60 },
    );
  });
});
