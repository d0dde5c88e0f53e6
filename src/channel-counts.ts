/** The states of a channel: its connect is under way, it is open, it closes and its connection is not gone yet. */
export type ChannelState = 'connecting' | 'live' | 'closing';

/** How many channels of this process are in each state. Their registry counts them when they arrive, and they themselves keep it. */
export const channelCounts: Record<ChannelState, number> = { connecting: 0, live: 0, closing: 0 };
