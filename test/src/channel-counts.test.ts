import { expect, it, vi } from 'vitest';

it('a process begins with no channel in any state', async () => {
  vi.resetModules(); // other files of this process have had channels
  const { channelCounts } = await import('../../src/channel-counts.js');
  expect(channelCounts).toEqual({ connecting: 0, live: 0, closing: 0 });
});
