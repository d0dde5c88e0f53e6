import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { onTestFinished } from 'vitest';
import type { ChannelEvent } from '../../src/events.js';

/** The types of events, each of which `node:diagnostics_channel` has a channel of. */
export const eventTypes = [
  'handshake',
  'refusal',
  'identification',
  'revalidation',
  'revocation',
  'renewal',
  'save',
  'conflict',
  'slow-consumer',
  'heartbeat',
  'close',
] as const satisfies readonly ChannelEvent['type'][];

/** What is published on the diagnostics channels of `types` from now on, until the test is over. */
export function listenTo(...types: readonly ChannelEvent['type'][]): ChannelEvent[] {
  const heard: ChannelEvent[] = [];
  const hear = (event: unknown): void => void heard.push(event as ChannelEvent);
  for (const type of types) {
    subscribe(`ws-with:${type}`, hear);
    onTestFinished(() => void unsubscribe(`ws-with:${type}`, hear));
  }
  return heard;
}

/** The events of one type. */
export function ofType<Type extends ChannelEvent['type']>(events: readonly ChannelEvent[], type: Type) {
  return events.filter((event): event is Extract<ChannelEvent, { type: Type }> => event.type === type);
}
