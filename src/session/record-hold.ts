import type { ChannelRecord } from './channel-record.js';
import type { Committer } from './merge-commits.js';
import type { Snapshot } from './session-data.js';
import type { SessionDraft } from './session-draft.js';
import type { SessionRecord } from './session-record.js';

/** Who knows which record is held by how many. */
export interface RecordOwner {
  /** The record for one more channel: that which others have, unless it is gone. */
  acquire(sharedId: string | undefined): SessionRecord;
  /** A channel needs its record no more. */
  release(record: SessionRecord): void;
  /** Sees to it that a record just read does not expire at once. */
  keep(record: SessionRecord): void;
}

/** What one channel has of a record: that is kept in memory as long as somebody holds it. */
export class RecordHold implements ChannelRecord {
  readonly #owner: RecordOwner;
  #record: SessionRecord;
  #hasEnded = false;

  /** @param sharedId the id of the record that the channel shares with others; without one, it has its own. */
  constructor(owner: RecordOwner, sharedId?: string) {
    this.#owner = owner;
    this.#record = owner.acquire(sharedId);
  }

  get values(): Snapshot {
    return this.#record.data.values;
  }

  hold(): Snapshot {
    return this.#record.data.hold();
  }

  release(held: Snapshot): void {
    this.#record.data.release(held);
  }

  get shared(): object {
    return this.#record;
  }

  get outlivesChannel(): boolean {
    return this.#record.isShared;
  }

  load(): Promise<void> | undefined {
    return this.#record.isShared ? this.#load() : undefined;
  }

  /** What others share may have been destroyed without their knowing: a channel that comes now begins with a new one. */
  async #load(): Promise<void> {
    await this.#record.read();
    if (this.#hasEnded) return;
    if (this.#record.isGone) {
      const old = this.#record;
      this.#record = this.#owner.acquire(old.id);
      this.#owner.release(old);
      await this.#record.read();
    }
    this.#owner.keep(this.#record);
  }

  reload(): Promise<void> {
    return this.#record.reload();
  }

  commit(draft: SessionDraft, channel: Committer): Promise<void> | undefined {
    const changes = draft.seal();
    if (changes === undefined || (this.#hasEnded && !this.#record.isShared)) return undefined;
    return this.#record.commit(changes, channel);
  }

  end(): Promise<void> | undefined {
    if (this.#hasEnded) return undefined;
    this.#hasEnded = true;
    this.#owner.release(this.#record);
    return this.#record.isShared ? undefined : this.#record.destroy();
  }
}
