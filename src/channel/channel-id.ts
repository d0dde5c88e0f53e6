import { randomUUID } from 'node:crypto';

const scratch = Buffer.allocUnsafeSlow(36);

/** A UUID in one piece: as Node makes it, it is put together of a dozen strings, which would all live as long as the channel. */
export function newChannelId(): string {
  scratch.write(randomUUID(), 'latin1');
  return scratch.toString('latin1');
}
