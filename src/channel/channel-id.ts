import { randomUUID } from 'node:crypto';

/** A new id of a channel. A UUID is put together of a dozen strings, which would all live as long as the channel. */
export function makeChannelId(): string {
  return Buffer.from(randomUUID(), 'latin1').toString('latin1');
}
