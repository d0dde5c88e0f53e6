import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Broadcaster } from '../../src/contracts/broadcaster.js';
import { nothing } from '../../src/maybe-promise.js';
import { assertRefuses } from './bad-arguments.js';
import { type Heard, listenTo } from './broadcast-listener.js';
import { type ContractCases, type ContractOptions, type ContractTest, contractTests } from './contract-test.js';

/** What `broadcasterContract` needs: broadcasters as three processes would have them, each on its own. */
export interface BroadcasterFixture {
  readonly nodes: readonly [Broadcaster, Broadcaster, Broadcaster];
  /** Cuts all of them off from their broker, runs `meanwhile`, and restores it. @default they cannot be cut off */
  readonly interrupt?: (meanwhile: () => Promise<void>) => Promise<void>;
  /** How long a message may take, in milliseconds. @default 10,000 */
  readonly timeoutMs?: number;
}

/** The tests of the contract {@link Broadcaster}. */
export function broadcasterContract(options: ContractOptions<BroadcasterFixture>): readonly ContractTest[] {
  return contractTests(options, cases);
}

const messages = 500;
/** How often it is tried whether messages arrive again. */
const intervalMs = 50;

const cases: ContractCases<BroadcasterFixture> = {
  async 'what one publishes all others hear, once, and it does not itself'({ nodes: [one, two, three], timeoutMs }) {
    await using own = await listenTo(one, timeoutMs);
    await using second = await listenTo(two, timeoutMs);
    await using third = await listenTo(three, timeoutMs);
    const group = randomUUID();
    await one.publish(group, 'first');
    await two.publish(group, 'end');
    const count = (text: string) => (heard: readonly Heard[]) => heard.filter((each) => each.group === group && each.data === text).length;
    await second.until((heard) => count('first')(heard) === 1, 'The message did not arrive');
    await third.until((heard) => count('first')(heard) === 1 && count('end')(heard) === 1, 'The messages did not arrive');
    await own.until((heard) => count('end')(heard) === 1, "The other's message did not arrive");
    assert.equal(count('first')(own.heard), 0, 'what it published itself came back');
    assert.equal(count('end')(second.heard), 0, 'what it published itself came back');
  },
  async 'what one publishes to a group arrives in order, whether it waited in between or not'({ nodes: [one, two], timeoutMs }) {
    await using listener = await listenTo(two, timeoutMs);
    const group = randomUUID();
    const sent = Array.from({ length: messages }, (_, index) => String(index));
    await Promise.all(sent.slice(0, -2).map((text) => one.publish(group, text)));
    for (const text of sent.slice(-2)) await one.publish(group, text);
    await listener.until((heard) => of(heard, group).length >= messages, 'Not all messages arrived');
    assert.deepEqual(of(listener.heard, group), sent);
    assert.equal(listener.gaps, 0, 'nothing was missed');
  },
  async 'text and bytes arrive as they were when they were published'({ nodes: [one, two], timeoutMs }) {
    await using listener = await listenTo(two, timeoutMs);
    const group = `${randomUUID()} \u{1f600}: {"a"}*?[b]\\.\r\n`;
    // a part of a buffer, as those of Node are
    const bytes = Uint8Array.from({ length: 300 }, (_, index) => index).subarray(20, 276);
    const expected = [...bytes];
    const texts = ['', 'plain', 'naïve \u{1f600}\u0000\u2028', '{"json":[1]}', 'x'.repeat(200_000)];
    for (const text of texts) await one.publish(group, text);
    const publishing = one.publish(group, bytes);
    bytes.fill(0);
    await publishing;
    await one.publish(group, new Uint8Array(0));
    await listener.until((heard) => of(heard, group).length >= texts.length + 2, 'Not all messages arrived');
    const arrived = of(listener.heard, group);
    assert.deepEqual(arrived.slice(0, -2), texts);
    const [full, empty] = arrived.slice(-2);
    assert.ok(full instanceof Uint8Array && empty instanceof Uint8Array, 'bytes must arrive as bytes');
    assert.deepEqual([...full], expected);
    assert.equal(empty.length, 0);
  },
  async 'groups whose names look alike are kept apart'({ nodes: [one, two], timeoutMs }) {
    await using listener = await listenTo(two, timeoutMs);
    const base = randomUUID();
    const groups = [base, `${base} `, `${base}:`, `${base}*`, `${base}.a`, base.toUpperCase(), `\u0000${base}`, '__proto__', 'constructor'];
    for (const group of groups) await one.publish(group, `${base} to ${group}`);
    const ours = (heard: readonly Heard[]): Heard[] =>
      heard.filter(({ data }) => typeof data === 'string' && data.startsWith(`${base} to `));
    await listener.until((heard) => ours(heard).length >= groups.length, 'Not all messages arrived');
    // each once, in whatever order: what is said to different groups may go different ways
    assert.deepEqual(
      ours(listener.heard)
        .map(({ group, data }) => `${group}: ${String(data)}`)
        .sort(),
      groups.map((group) => `${group}: ${base} to ${group}`).sort(),
    );
  },
  async 'a subscriber that throws keeps neither others nor itself from the next message'({ nodes: [one, two], timeoutMs }) {
    let told = 0;
    const subscription = await two.subscribe(() => {
      told += 1;
      throw new Error('the subscriber failed');
    }, nothing);
    try {
      await using listener = await listenTo(two, timeoutMs);
      const group = randomUUID();
      await one.publish(group, 'first');
      await one.publish(group, 'second');
      await listener.until((heard) => of(heard, group).length >= 2, 'The messages did not arrive');
      assert.ok(told >= 2, 'the subscriber that threw must be told of the next one too');
    } finally {
      await subscription[Symbol.asyncDispose]();
    }
  },
  async 'a subscription that was ended hears nothing more, ending it twice does no harm, and others go on'({
    nodes: [one, two],
    timeoutMs,
  }) {
    await using other = await listenTo(two, timeoutMs);
    const ended = await listenTo(two, timeoutMs);
    await ended[Symbol.asyncDispose]();
    await ended[Symbol.asyncDispose]();
    const group = randomUUID();
    await one.publish(group, 'later');
    await other.until((heard) => of(heard, group).length === 1, 'The message did not arrive');
    assert.deepEqual(of(ended.heard, group), []);
  },
  async 'what is no group or no data is refused with a TypeError'({ nodes: [one] }) {
    await assertRefuses((group: never) => one.publish(group, 'text'), ['', undefined, null, 7, ['group'], { $eq: 'group' }]);
    await assertRefuses((data: never) => one.publish('group', data), [undefined, null, 7, {}, ['text'], new Date()]);
    await assertRefuses((on: never) => one.subscribe(on, nothing), [undefined, null, 'on', {}]);
    await assertRefuses((onGap: never) => one.subscribe(nothing, onGap), [undefined, null, 'onGap', {}]);
  },
  async 'what may have been missed while the broker was away is told of as a gap, nothing arrives twice or out of order, and later messages arrive again'({
    nodes: [one, two],
    interrupt,
    timeoutMs = 10_000,
  }) {
    if (!interrupt) return;
    await using listener = await listenTo(two, timeoutMs);
    const group = randomUUID();
    await one.publish(group, '0');
    let next = 1;
    let gapsBefore = 0;
    await interrupt(async () => {
      gapsBefore = listener.gaps;
      for (; next <= 20; next += 1) await one.publish(group, String(next)).catch(nothing);
    });
    // the first may fail, or find the other one still on its way back
    const seen = (heard: readonly Heard[]): boolean => of(heard, group).includes('last');
    for (let waitedMs = 0; waitedMs < timeoutMs && !seen(listener.heard); waitedMs += intervalMs) {
      await one.publish(group, 'last').catch(nothing);
      await new Promise((resolve) => setTimeout(resolve, intervalMs));
    }
    await listener.until(seen, 'Nothing arrived any more');
    const arrived = of(listener.heard, group)
      .filter((data) => data !== 'last')
      .map(Number);
    assert.deepEqual(
      arrived,
      [...new Set(arrived)].sort((a, b) => a - b),
      'each at most once, and in order',
    );
    if (arrived.length < next) await listener.until((_, gaps) => gaps > gapsBefore, 'The loss was not told');
  },
  async 'what is published as soon as a gap is told arrives, or another gap is told'({ nodes: [one, two], interrupt, timeoutMs }) {
    if (!interrupt) return;
    const group = randomUUID();
    const publish = (text: string): Promise<void> => one.publish(group, text).catch(nothing);
    let publishing: Promise<void> | undefined;
    await using listener = await listenTo(two, timeoutMs, () => {
      publishing ??= publish('at once');
    });
    await one.publish(group, 'before');
    await interrupt(() => publish('meanwhile'));
    await listener.until((heard, gaps) => gaps > 0 || of(heard, group).includes('meanwhile'), 'The loss was not told');
    if (publishing === undefined) return;
    await listener.until((heard, gaps) => gaps > 1 || of(heard, group).includes('at once'), 'It neither arrived nor was told as lost');
  },
};

/** What was heard of a group. */
function of(heard: readonly Heard[], group: string): (string | Uint8Array)[] {
  return heard.filter((each) => each.group === group).map(({ data }) => data);
}
