import type { Channel } from '../../../entries/index.js';

/** A channel of a user, or of nobody, for groups that no server is needed to test. */
export interface Member {
  readonly channel: Channel;
  /** It begins to end. */
  readonly end: () => void;
}

export function memberOf(userId: string | null): Member {
  const controller = new AbortController();
  const user = { id: userId, isAuthenticated: userId !== null };
  const channel = { signal: controller.signal, send: () => true, user };
  return { channel: channel as unknown as Channel, end: () => controller.abort() };
}
