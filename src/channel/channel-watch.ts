import type { BoundSource, IdentityKeys } from '../identity/user-source.js';
import type { Connection } from './connection.js';

/** Watches over how long those who were identified may speak. */
export interface ChannelWatch {
  /** Whether no revocation can be missed any more. */
  readonly isReady: boolean;
  /** A promise while one could be, until {@link isReady}: no look-up is sent before it has settled. It never rejects. */
  ready(): Promise<void> | undefined;
  /** From its mark of the moment on revocations count for a channel that begins to connect. */
  readonly log: { readonly mark: number };
  /** These keys are about to be looked up for a channel that began to connect at `mark`; something was revoked since. */
  claimed(channel: Connection, keys: IdentityKeys, mark: number): void;
  /** The sources of which one more user needs nothing, unless the credential expires or something was revoked meanwhile. */
  readonly watched: Pick<WeakSet<BoundSource>, 'has'>;
  /** It is known who speaks on a channel that began to connect at `mark`. */
  identified(channel: Connection, mark: number): void;
  /** Before a message is handled: a promise where the channel is looked up again first. `undefined` where that is never so. */
  readonly beforeMessage: ((channel: Connection) => Promise<void> | undefined) | undefined;
  /** See `Channel.reauthenticate`. */
  reauthenticate(channel: Connection, key: unknown): Promise<boolean>;
  /** No channel is left. */
  idle(): void;
}
