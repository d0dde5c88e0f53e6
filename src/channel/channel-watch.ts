import type { IdentityKeys } from '../identity/user-source.js';
import type { Connection } from './connection.js';

/** Watches over how long those who were identified may speak. */
export interface ChannelWatch {
  /** A promise while a revocation could be missed: no look-up is sent before it has settled. It never rejects. */
  ready(): Promise<void> | undefined;
  /** From here on revocations count for a channel that begins to connect now. */
  mark(): number;
  /** These keys are about to be looked up for a channel that began to connect at `mark`. */
  claimed(channel: Connection, keys: IdentityKeys, mark: number): void;
  /** It is known who speaks on a channel that began to connect at `mark`, and at `since` on the monotonic clock. */
  identified(channel: Connection, mark: number, since: number): void;
  /** Before a message is handled: a promise where the channel is looked up again first. `undefined` where that is never so. */
  readonly beforeMessage: ((channel: Connection) => Promise<void> | undefined) | undefined;
  /** See `Channel.reauthenticate`. */
  reauthenticate(channel: Connection, key: unknown): Promise<boolean>;
  /** No channel is left. */
  idle(): void;
}
