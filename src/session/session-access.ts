import type { ChannelRecord } from './channel-record.js';
import { type SessionOwner, sharedSessionId } from './session-id.js';
import type { SessionRecords } from './session-records.js';

/** One channel's way to its session: opened once, and there from the first where it need not be loaded. */
export class SessionAccess {
  readonly #records: SessionRecords;
  #isOpen: boolean;
  /** Set while its record is loaded, and where that has failed. */
  #loading: Promise<void> | undefined;
  #hasEnded = false;
  #record: ChannelRecord | undefined;

  /** @param isOpen whether it is open from the first: it is wanted, and nothing of it need be loaded. */
  constructor(records: SessionRecords, isOpen: boolean) {
    this.#records = records;
    this.#isOpen = isOpen;
  }

  /** Whether nothing needs to be loaded any more. */
  get isOpen(): boolean {
    return this.#isOpen && this.#loading === undefined;
  }

  /** Whether anybody has had it so far. */
  get isUsed(): boolean {
    return this.#record !== undefined;
  }

  /** The session; `undefined` until it is open. */
  get record(): ChannelRecord | undefined {
    if (this.#record === undefined && this.#isOpen) {
      this.#record = this.#records.open();
      if (this.#hasEnded) void this.#record.end(); // a handler that goes on after its channel may read it
    }
    return this.#record;
  }

  /**
   * Opens it for `owner`: a promise where its record must be loaded. As long as nobody has had it, it is opened again for whoever the owner
   * turns out to be: a wrapper that the server cannot see identifies late.
   */
  open(owner: SessionOwner): Promise<void> | undefined {
    const { scope } = this.#records.settings;
    if (this.#isOpen && (scope === 'channel' || this.#record !== undefined)) return this.#loading;
    this.#isOpen = true;
    const sharedId = sharedSessionId(owner, scope);
    if (sharedId === undefined) return undefined; // one of its own is made for who wants it first
    this.#record = this.#records.open(sharedId);
    if (this.#hasEnded) void this.#record.end(); // nobody else would
    this.#loading = this.#record.load()?.then(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** Whether what the last message changes is worth a write: a session of the channel's own goes with it. */
  get outlivesChannel(): boolean {
    return this.#record?.outlivesChannel === true;
  }

  /** The channel has ended: a session of its own goes, a shared one stays. */
  end(): Promise<void> | undefined {
    this.#hasEnded = true;
    return this.#record?.end();
  }
}
