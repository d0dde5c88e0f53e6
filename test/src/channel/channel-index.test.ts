import { describe, expect, it } from 'vitest';
import { ChannelIndex } from '../../../src/channel/channel-index.js';
import type { IdentityKeys } from '../../../src/identity/user-source.js';
import { tokenIdOf } from '../../../src/token-id.js';

const [first, second] = ['1', '2'].map((digit) => tokenIdOf(digit.repeat(40)));

/** A channel that is found by `keys`. */
const channelWith = (keys?: IdentityKeys, claims?: readonly IdentityKeys[]) => ({ identity: { keys, claims } }) as never;

describe('the index of channels', () => {
  it('finds those that were there before it, by what they are and by what they claim to be', () => {
    const connecting = channelWith(undefined, [{ userId: 'ann' }, { tokenId: first }]);
    const live = channelWith({ userId: 'ann', httpSessionId: 'one' });
    const index = new ChannelIndex([connecting, live, channelWith()]);
    expect(index.find({ userId: 'ann' })).toEqual([connecting, live]);
    expect([index.find({ tokenId: first }), index.find({ httpSessionId: 'one' })]).toEqual([[connecting], [live]]);
    expect([index.find({ userId: 'bob' }), index.find({})]).toEqual([[], []]);
  });

  it.each([1, 2, 3])('gives all channels of a key, each once, and none that went (%i of them)', (count) => {
    const keys = { userId: 'ann' };
    const channels = Array.from({ length: count }, () => channelWith());
    const index = new ChannelIndex([]);
    for (const channel of [...channels, ...channels]) index.add(channel, keys);
    expect(index.find(keys)).toEqual(channels);
    for (const [gone, channel] of channels.entries()) {
      index.delete(channel, keys);
      index.delete(channel, keys);
      expect(index.find(keys)).toEqual(channels.slice(gone + 1));
    }
    const again = channelWith();
    index.add(again, keys);
    expect(index.find(keys)).toEqual([again]);
  });

  it('leaves the others of a key where one goes that is not there', () => {
    const [ann, stranger] = [channelWith(), channelWith()];
    const index = new ChannelIndex([]);
    index.add(ann, { userId: 'ann', tokenId: first, httpSessionId: 'one' });
    index.delete(stranger, { userId: 'ann', tokenId: first, httpSessionId: 'one' });
    expect(index.find({ userId: 'ann' })).toEqual([ann]);
  });

  it('takes a channel away from its former keys, but for those that it has still', () => {
    const channel = channelWith({ userId: 'ann', tokenId: second, httpSessionId: 'one' });
    const index = new ChannelIndex([channel]);
    index.add(channel, { tokenId: first, httpSessionId: 'other' });
    index.delete(channel, { userId: 'ann', tokenId: first, httpSessionId: 'other' });
    expect([index.find({ tokenId: first }), index.find({ httpSessionId: 'other' })]).toEqual([[], []]);
    index.delete(channel, { userId: 'ann', tokenId: second, httpSessionId: 'one' });
    expect(index.find({ userId: 'ann' })).toEqual([channel]);
    expect([index.find({ tokenId: second }), index.find({ httpSessionId: 'one' })]).toEqual([[channel], [channel]]);
  });
});
