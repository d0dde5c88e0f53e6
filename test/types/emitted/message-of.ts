import type { Channel, ReceiveMessage } from 'ws-with';

/** A message for wrappers of one's own, which ask no more of it than that it is an object. */
export function messageOf<Added>(id: string): ReceiveMessage & Added {
  return { kind: 'receive', channel: { id } as Channel } as ReceiveMessage & Added;
}
