import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Groups } from '../../../entries/index.js';
import { connectTo, TestClock } from '../../../entries/testing.js';
import type { Broadcaster } from '../../../src/contracts/broadcaster.js';
import type { FeedHealth } from '../../../src/contracts/revocation-feed.js';
import { deferred } from '../../support/deferred.js';
import { collectUncaught } from '../../support/uncaught.js';
import { chat } from './chat.js';

const never = new Promise<never>(() => undefined);

/** A broadcaster that takes everything, but for what a test says. */
class ScriptedBroadcaster implements Broadcaster {
  readonly ended: number[] = [];
  readonly told: {
    readonly on: (group: string, data: string | Uint8Array) => void;
    readonly onGap: () => void;
    readonly health: FeedHealth;
  }[] = [];
  publishing: () => Promise<void> = () => Promise.resolve();
  subscribing: () => Promise<void> = () => Promise.resolve();
  ending: () => Promise<void> = () => Promise.resolve();

  publish(): Promise<void> {
    return this.publishing();
  }

  async subscribe(on: (group: string, data: string | Uint8Array) => void, onGap: () => void, health: FeedHealth): Promise<AsyncDisposable> {
    const number = this.told.push({ on, onGap, health });
    await this.subscribing();
    return {
      [Symbol.asyncDispose]: () => {
        this.ended.push(number);
        return this.ending();
      },
    };
  }
}

function site(broadcaster: Broadcaster) {
  const clock = new TestClock();
  const warnings: string[] = [];
  const errors: unknown[] = [];
  let gaps = 0;
  const groups = new Groups({
    broadcaster,
    clock,
    onGap: () => (gaps += 1),
    onWarning: ({ code }) => warnings.push(code),
    onError: (error) => errors.push(error),
  });
  return { clock, groups, warnings, errors, gaps: () => gaps };
}

it.each([
  ['publishes', 'publishing'],
  ['ends its subscription', 'ending'],
] as const)('groups close after 10 seconds where their broadcaster never %s', async (_, what) => {
  const broadcaster = new ScriptedBroadcaster();
  broadcaster[what] = () => never;
  const { clock, groups, warnings } = site(broadcaster);
  await groups.ready;
  groups.send('lobby', 'lost');
  let isClosed = false;
  const closing = groups.close().then(() => (isClosed = true));
  await clock.advance(9_999);
  expect(isClosed).toBe(false);
  await clock.advance(1);
  await closing;
  expect([warnings, broadcaster.ended, clock.pendingTimers]).toEqual([['ERR_BROADCAST_FAILED'], [1], 0]);
});

it('groups wait with their close for what is still being published, and no longer', async () => {
  const broadcaster = new ScriptedBroadcaster();
  const done: (() => void)[] = [];
  broadcaster.publishing = () => new Promise((resolve) => done.push(resolve));
  const { groups, warnings } = site(broadcaster);
  await groups.ready;
  groups.send('lobby', 'one');
  groups.send('lobby', 'two');
  let isClosed = false;
  const closing = groups.close().then(() => (isClosed = true));
  done[1]?.();
  await nextTurn();
  expect([isClosed, broadcaster.ended]).toEqual([false, []]);
  done[0]?.();
  await closing;
  expect([warnings, broadcaster.ended]).toEqual([[], [1]]);
});

it('groups give a subscription up that never stands, and hear nothing of it when they have another', async () => {
  const broadcaster = new ScriptedBroadcaster();
  const standing = deferred();
  broadcaster.subscribing = () => standing.promise;
  const { clock, groups, warnings, gaps } = site(broadcaster);
  const client = await connectTo(chat(groups));
  await clock.advance(10_000);
  expect([warnings, broadcaster.told.length]).toEqual([['ERR_BROADCAST_FAILED'], 1]);
  standing.resolve();
  await clock.advance(0);
  expect(broadcaster.ended).toEqual([1]);
  broadcaster.subscribing = () => Promise.resolve();
  await clock.advance(1_000);
  await groups.ready;
  expect(gaps()).toBe(1);
  for (const { on, onGap } of broadcaster.told) {
    on('lobby', 'once');
    onGap();
  }
  expect([client.sent, gaps()]).toEqual([['once'], 2]);
  await groups.close();
  expect([broadcaster.ended, clock.pendingTimers]).toEqual([[1, 2], 0]);
});

it('a broadcaster that throws, publishes no promise or brings what is no message harms nobody', async () => {
  const broadcaster = new ScriptedBroadcaster();
  const { groups, warnings, errors } = site(broadcaster);
  await groups.ready;
  const client = await connectTo(chat(groups));
  broadcaster.publishing = () => undefined as unknown as Promise<void>;
  expect(groups.send('lobby', 'one')).toBe(1);
  broadcaster.publishing = () => {
    throw new Error('no');
  };
  expect(groups.send('lobby', 'two')).toBe(1);
  await nextTurn();
  const [subscription] = broadcaster.told;
  for (const data of [undefined, null, 7, {}]) subscription?.on('lobby', data as unknown as string);
  for (const group of [undefined, 7, '', '\u0000presence', '\ud800']) subscription?.on(group as string, 'lost');
  subscription?.on('lobby', 'three');
  expect([client.sent, warnings.length, errors.length]).toEqual([['one', 'two', 'three'], 1, 4]);
  await groups.close();
});

it('a broadcaster that throws a promise which rejects ends no process', async () => {
  const uncaught = collectUncaught();
  const broadcaster = new ScriptedBroadcaster();
  broadcaster.publishing = () => {
    throw Promise.reject(new Error('thrown'));
  };
  const { groups, warnings } = site(broadcaster);
  groups.send('lobby', 'hello');
  expect([await uncaught(), warnings]).toEqual([[], ['ERR_BROADCAST_FAILED']]);
  await groups.close();
});

it('groups tell onError what an asynchronous callback rejects with', async () => {
  const broadcaster = new ScriptedBroadcaster();
  const errors: unknown[] = [];
  const failure = new Error('the history cannot be loaded');
  const groups = new Groups({
    broadcaster,
    onGap: async () => Promise.reject(failure),
    onError: (error) => errors.push(error),
  });
  await groups.ready;
  broadcaster.told[0]?.onGap();
  await nextTurn();
  expect(errors).toEqual([failure]);
  await groups.close();
});

it('a broadcaster that throws is told of once, also where whoever is told of it sends to a group', async () => {
  const broadcaster = new ScriptedBroadcaster();
  broadcaster.publishing = () => {
    throw new Error('broken');
  };
  let warnings = 0;
  const groups: Groups = new Groups({
    broadcaster,
    onWarning: () => {
      warnings += 1;
      if (warnings < 10) groups.send('operators', 'a warning');
    },
  });
  await groups.ready;
  groups.send('lobby', 'lost');
  groups.send('lobby', 'lost too');
  expect(warnings).toBe(1);
  await groups.close();
});

it('groups warn of a broadcaster that is not heard any more once, until it was heard again, and of none after their close', async () => {
  const broadcaster = new ScriptedBroadcaster();
  const { groups, warnings, errors } = site(broadcaster);
  await groups.ready;
  const health = broadcaster.told[0]!.health;
  for (let attempt = 0; attempt < 3; attempt += 1) health.failed(Promise.reject(new Error('away')));
  expect(warnings).toEqual(['ERR_BROADCAST_FAILED']);
  health.restored();
  health.failed(new Error('away again'));
  expect(warnings).toEqual(['ERR_BROADCAST_FAILED', 'ERR_BROADCAST_FAILED']);
  health.restored();
  await groups.close();
  health.failed(new Error('closed'));
  expect([warnings.length, errors]).toEqual([2, []]);
});

it('groups warn of a broadcaster that is not heard any more also where an attempt to subscribe had said so before it was given up', async () => {
  const broadcaster = new ScriptedBroadcaster();
  broadcaster.subscribing = () => Promise.reject(new Error('down'));
  const { groups, clock, warnings } = site(broadcaster);
  broadcaster.told[0]!.health.failed(new Error('one of several lines is down'));
  await clock.advance(0);
  broadcaster.subscribing = () => Promise.resolve();
  await clock.advance(1_000);
  await groups.ready;
  const before = warnings.length;
  broadcaster.told[1]!.health.failed(new Error('away'));
  expect(warnings.slice(before)).toEqual(['ERR_BROADCAST_FAILED']);
  await groups.close();
});
