import { createServer } from 'node:http';
import { expect, it, vi } from 'vitest';
import { ChannelServer, withUserFromToken } from '../../../entries/index.js';
import { channelCounts } from '../../../src/channel-counts.js';
import { expectProcessToLive, makeSite } from '../../support/site.js';

expectProcessToLive();

it('a server that is given upgrades to serve has no channel of its own, tells of none and calls nobody for it', async () => {
  const before = { ...channelCounts };
  const { options, clock, tokens } = makeSite();
  const handlers = { connect: withUserFromToken({ tokens })(vi.fn()), receive: vi.fn(), disconnect: vi.fn() };
  const onEvent = vi.fn();
  const channels = new ChannelServer(handlers, { ...options, onEvent });
  channels.handleUpgrades(createServer());
  expect(channels.channels.size).toBe(0);
  expect(channelCounts).toEqual(before);
  expect(clock.pendingTimers).toBe(0);
  await channels.close();
  expect(onEvent).not.toHaveBeenCalled();
  expect(handlers.disconnect).not.toHaveBeenCalled();
  expect(channelCounts).toEqual(before);
});
