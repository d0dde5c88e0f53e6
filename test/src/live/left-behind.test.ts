import { expect, it } from 'vitest';
import type { ReceiveMessage } from '../../../entries/index.js';
import { deferred } from '../../support/deferred.js';
import { idOf, ScriptedFeed, type Watched, type WatchOptions, watch } from './watched.js';

/** A client that has sent three messages and left, while the first of them is handled, and what has been handled. */
async function leftBehind(options: WatchOptions, expiresAt?: (now: number) => Date) {
  const gate = deferred();
  const handled: string[] = [];
  const receive = async (message: ReceiveMessage) => {
    handled.push(message.text);
    await gate.promise;
  };
  const watched = watch({ ...options, handlers: { receive } });
  watched.tokens.put('ann', expiresAt && { expiresAt: expiresAt(watched.clock.now()) });
  const client = await watched.connect('ann');
  const sent = ['one', 'two', 'three'].map((text) => client.send(text));
  await expect.poll(() => handled).toEqual(['one']);
  void client.disconnect();
  const goOn = async (): Promise<string[]> => {
    gate.resolve();
    await Promise.all(sent);
    return handled;
  };
  return { ...watched, handled, goOn };
}

const disable = ({ tokens }: Watched): void => {
  tokens.put('ann', { user: undefined });
};

it('what a client has sent before it left is handled as long as its credential counts', async () => {
  for (const revalidate of ['message', { everyMs: 1_000 }] as const) {
    const left = await leftBehind({ revalidate }, (now) => new Date(now + 60_000));
    await left.clock.advance(5_000);
    expect(await left.goOn()).toEqual(['one', 'two', 'three']);
  }
});

it.each<[string, WatchOptions, (left: Watched, feed: ScriptedFeed) => unknown]>([
  ['the look-up before each message says so', { revalidate: 'message' }, disable],
  [
    'a sweep finds it',
    { revalidate: { everyMs: 1_000 } },
    async (left) => {
      disable(left);
      await left.clock.advance(1_000);
    },
  ],
  [
    'a hint has it looked up',
    { revalidate: 'connect' },
    async (left, feed) => {
      disable(left);
      feed.tell({ userId: 'ann', hint: true });
      await left.clock.advance(0);
    },
  ],
  [
    'a gap has everybody looked up',
    { revalidate: 'connect' },
    async (left, feed) => {
      disable(left);
      feed.gap();
      await left.clock.advance(0);
    },
  ],
  ['a revocation says so', { revalidate: 'connect' }, (_left, feed) => feed.tell({ tokenId: idOf('ann') })],
])('once its credential has ended, nothing more is handled of what a client has sent that left: %s', async (_how, options, end) => {
  const feed = new ScriptedFeed();
  const left = await leftBehind({ ...options, revocations: feed });
  await end(left, feed);
  expect(await left.goOn()).toEqual(['one']);
  expect(left.errors).toEqual([]);
});

it('the same at the end of its token, which may lie far away when it leaves', async () => {
  for (const ms of [5_000, 600_000]) {
    const left = await leftBehind({ revalidate: 'connect', handlerTimeoutMs: 0 }, (now) => new Date(now + ms));
    await left.clock.advance(ms + 1_000);
    expect(await left.goOn()).toEqual(['one']);
  }
});

it('the same where nobody could tell for too long whether it counts', async () => {
  const left = await leftBehind({ revalidate: { everyMs: 1_000 }, maxStaleMs: 10_000 });
  left.tokens.fails(true);
  await left.clock.advance(20_000);
  expect(await left.goOn()).toEqual(['one']);
});
