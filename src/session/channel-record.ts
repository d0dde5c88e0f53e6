import type { Committer } from './merge-commits.js';
import type { DraftSource, SessionDraft } from './session-draft.js';

/** The session of one channel. */
export interface ChannelRecord extends DraftSource {
  /** The same object for all channels of this process that share the record. */
  readonly shared: object;
  /** Whether changes of the last message are worth a write: a record of the channel's own goes with it. */
  readonly outlivesChannel: boolean;
  /** Reads the record at connect. Nothing to wait for where it cannot exist yet. */
  load(): Promise<void> | undefined;
  /**
   * Ends the draft of a message that succeeded, and saves what it changed. Returns `undefined` where nothing was, or where there is no
   * store to wait for.
   *
   * @param channel whose message it was, for the events.
   * @throws {ChannelError} `ERR_SESSION_CONFLICT`, `ERR_SESSION_GONE` or `ERR_SESSION_SAVE_FAILED`; nothing is changed then.
   */
  commit(draft: SessionDraft, channel: Committer): Promise<void> | undefined;
  /** The channel has ended: a record of its own goes, a shared one stays. */
  end(): Promise<void> | undefined;
}
