import { BoundedStore } from './bounded-store.js';
import type { ChannelRecord } from './channel-record.js';
import type { RecordContext } from './known-record.js';
import { LocalSession } from './local-session.js';
import { RecordHold, type RecordOwner } from './record-hold.js';
import { SessionRecord } from './session-record.js';
import type { SessionSettings } from './session-settings.js';
import { SessionToucher } from './session-toucher.js';

/** The records that the channels of a server use, each of them once however many share it. */
export class SessionRecords implements RecordOwner {
  readonly settings: SessionSettings;
  readonly #context: RecordContext;
  readonly #store: BoundedStore | undefined;
  readonly #toucher: SessionToucher | undefined;
  readonly #shared = new Map<string, SessionRecord>();
  /** How many channels hold each record. */
  readonly #holders = new Map<SessionRecord, number>();

  constructor(context: RecordContext) {
    const { settings } = context;
    this.settings = settings;
    this.#context = context;
    if (settings.store === undefined) return;
    this.#store = new BoundedStore(settings.store, context);
    this.#toucher = new SessionToucher(context, this.#store, this.#holders);
  }

  /**
   * The session of a channel that has come. It is to be ended with the channel.
   *
   * @param sharedId the id of the record that it shares with others; without one, it has its own.
   */
  open(sharedId?: string): ChannelRecord {
    return this.#store === undefined ? new LocalSession() : new RecordHold(this, sharedId);
  }

  acquire(sharedId: string | undefined): SessionRecord {
    let record = sharedId === undefined ? undefined : this.#shared.get(sharedId);
    if (record === undefined || record.isGone) {
      record = new SessionRecord(this.#context, this.#store as BoundedStore, sharedId);
      if (sharedId !== undefined) this.#shared.set(sharedId, record);
    }
    this.#holders.set(record, (this.#holders.get(record) ?? 0) + 1);
    this.#toucher?.start();
    return record;
  }

  /** After the last channel the record is let go. */
  release(record: SessionRecord): void {
    const left = (this.#holders.get(record) ?? 0) - 1;
    if (left > 0) {
      this.#holders.set(record, left);
      return;
    }
    this.#holders.delete(record);
    if (record.isShared && this.#shared.get(record.id as string) === record) this.#shared.delete(record.id as string);
    if (this.#holders.size === 0) this.#toucher?.stop();
  }

  /** The next round of touches may come too late for it. */
  keep(record: SessionRecord): void {
    const { clock, settings } = this.#context;
    if (record.dueForTouch(clock.monotonic() - settings.ttlMs / 3) !== undefined) this.#toucher?.hurry();
  }

  /** Touches nothing any more: the server has closed. */
  close(): void {
    this.#toucher?.stop();
  }
}
