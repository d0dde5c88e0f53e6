import { expect, it } from 'vitest';
import { MemoryRevocationFeed } from '../../../entries/memory.js';
import type { Revocation } from '../../../src/contracts/revocation-feed.js';

it('a subscriber whose subscription is ended while others are told hears nothing more', async () => {
  const feed = new MemoryRevocationFeed();
  const heard: Revocation[] = [];
  await feed.subscribe(() => void second[Symbol.asyncDispose]());
  const second = await feed.subscribe((revocation) => void heard.push(revocation));
  feed.tell({ userId: 'ada' });
  expect(heard).toEqual([]);
});

it('a subscriber whose promise rejects harms nobody', async () => {
  const feed = new MemoryRevocationFeed();
  const heard: Revocation[] = [];
  await feed.subscribe(() => Promise.reject(new Error('failed')) as never);
  await feed.subscribe((revocation) => void heard.push(revocation));
  feed.tell({ userId: 'ada' });
  expect(heard).toEqual([{ userId: 'ada' }]);
});

it('callbacks that are no functions are refused', async () => {
  const feed = new MemoryRevocationFeed();
  await expect(feed.subscribe('on' as never)).rejects.toThrow(TypeError);
  await expect(feed.subscribe(() => undefined, 7 as never)).rejects.toThrow(TypeError);
});

it.each([
  [undefined],
  [{}],
  [{ userId: '' }],
  [{ userId: 7 }],
  [{ tokenId: 'ada' }],
  [{ userId: 'ada', httpSessionId: 's' }],
  [{ userId: 'ada', issuedBefore: '2026-01-01' }],
])('what is no revocation is refused where it is published, and told to nobody: %j', async (bad) => {
  const feed = new MemoryRevocationFeed();
  const heard: Revocation[] = [];
  await feed.subscribe((revocation) => void heard.push(revocation));
  await expect(feed.publish(bad as never)).rejects.toThrow(TypeError);
  await feed.publish({ userId: 'ada', hint: undefined });
  expect(heard).toEqual([{ userId: 'ada' }]);
});
