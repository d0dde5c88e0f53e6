import { randomUUID } from 'node:crypto';

/** A UUID in one piece: as Node makes it, it is put together of a dozen strings, which would all live as long as the channel. */
export function newChannelId(): string {
  return Buffer.from(randomUUID(), 'latin1').toString('latin1');
}
