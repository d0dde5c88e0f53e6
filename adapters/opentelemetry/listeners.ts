import type { ChannelEvent } from '../../src/events.js';

/** What is done with the events of each type that somebody wants. */
export type Listeners = { readonly [Type in ChannelEvent['type']]?: (event: Extract<ChannelEvent, { type: Type }>) => void };
