/** The states of a channel: its connect is under way, it is open, it closes and its connection is not gone yet. */
export type ChannelState = 'connecting' | 'live' | 'closing';

const counts: Record<ChannelState, number> = { connecting: 0, live: 0, closing: 0 };

/** How many channels of this process are in each state. */
export const channelCounts: Readonly<Record<ChannelState, number>> = counts;

/** Counts a channel that goes from one state to another; `undefined` before the first and after the last. */
export function countChannel(from: ChannelState | undefined, to: ChannelState | undefined): void {
  if (from !== undefined) counts[from] -= 1;
  if (to !== undefined) counts[to] += 1;
}
