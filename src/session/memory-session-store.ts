import { checkedIds, checkId } from '../check-id.js';
import { checkedTime } from '../checked-date.js';
import { anInteger, checkedOptions, having, type Rules } from '../checked-options.js';
import type { Clock } from '../contracts/clock.js';
import type { SessionStore, StoredSession } from '../contracts/session-store.js';
import { ChannelError } from '../errors.js';
import { checkExpectedVersion, checkedRow, frozenSessionOf, type SessionRow } from './check-stored-session.js';

/** Options of {@link MemorySessionStore}. */
export interface MemorySessionStoreOptions {
  /** How many records are kept at most, an integer of at least 1. @default 100,000 */
  readonly maxSessions?: number | undefined;
  /** Tells the time that expiry is compared with. @default the machine's clock */
  readonly clock?: Pick<Clock, 'now'> | undefined;
}

const rules: Rules<MemorySessionStoreOptions> = { maxSessions: anInteger(1), clock: having('a Clock', 'now') };

/** A sweep costs one step per record: so many steps may each creation since the last sweep pay for while the store is full. */
const stepsPerCreation = 64;

const owner = 'MemorySessionStore';

/**
 * Keeps channel sessions in this process, and loses them with it.
 *
 * Its size is bounded. When it is full, a new record replaces the expired ones, or the least recently used one if none has expired; the sessions of
 * that record's channels are then gone. It has no timers: an expired record is refused at once, and removed when it is met, or by a sweep while
 * others are created. With more than 64 records, a full store sweeps at most once in `maxSessions / 64` creations, and drops the least recently used
 * record in between.
 *
 * `load` gives deeply frozen data.
 */
export class MemorySessionStore implements SessionStore {
  readonly #maxSessions: number;
  readonly #clock: Pick<Clock, 'now'>;
  /** In order of use, the least recently used first. */
  readonly #records = new Map<string, SessionRow>();
  /** No record expires before this moment. */
  #earliestExpiry = Number.POSITIVE_INFINITY;
  #creationsSinceSweep = 0;

  /** @throws {TypeError} when an option is out of its range. */
  // with a default, so that a container makes it without being told how
  constructor(options: MemorySessionStoreOptions = {}) {
    const { maxSessions = 100_000, clock = Date } = checkedOptions(owner, options, rules);
    this.#maxSessions = maxSessions;
    this.#clock = clock;
  }

  /** How many records are kept, including expired ones that were not removed yet. */
  get size(): number {
    return this.#records.size;
  }

  async load(id: string): Promise<StoredSession | undefined> {
    checkId(`${owner}.load`, 'id', id);
    const record = this.#find(id);
    if (!record) return undefined;
    this.#put(id, record);
    return frozenSessionOf(record);
  }

  /** @throws {TypeError} (as a rejection) when the session is none that can be kept, for example with an invalid date. */
  async create(id: string, session: StoredSession): Promise<void> {
    checkId(`${owner}.create`, 'id', id);
    const record = checkedRow(`${owner}.create`, session);
    if (this.#find(id)) throw new ChannelError('ERR_SESSION_CONFLICT', 'There is a session of this id already.');
    this.#creationsSinceSweep += 1;
    this.#makeRoom();
    this.#put(id, record);
  }

  /** @throws {TypeError} (as a rejection) when the session is none that can be kept, for example with an invalid date. */
  async save(id: string, session: StoredSession, expectedVersion: number): Promise<void> {
    checkId(`${owner}.save`, 'id', id);
    checkExpectedVersion(`${owner}.save`, expectedVersion);
    this.saveAtOnce(id, checkedRow(`${owner}.save`, session), expectedVersion);
  }

  /**
   * As {@link save}, of what was checked: throws what that rejects with.
   *
   * @internal
   */
  saveAtOnce(id: string, record: SessionRow, expectedVersion: number): void {
    const current = this.#find(id);
    if (current?.createdAt !== record.createdAt)
      throw new ChannelError('ERR_SESSION_GONE', 'The session was destroyed, or it has expired.');
    if (current.version !== expectedVersion)
      throw new ChannelError('ERR_SESSION_CONFLICT', 'The session was saved by someone else meanwhile.');
    this.#put(id, record);
  }

  async touch(id: string, expiresAt: Date): Promise<void> {
    checkId(`${owner}.touch`, 'id', id);
    this.#touch(id, checkedTime(`${owner}.touch`, 'expiresAt', expiresAt));
  }

  async touchMany(ids: readonly string[], expiresAt: Date): Promise<void> {
    const checked = checkedIds(`${owner}.touchMany`, ids);
    const time = checkedTime(`${owner}.touchMany`, 'expiresAt', expiresAt);
    for (const id of checked) this.#touch(id, time);
  }

  async destroy(id: string): Promise<void> {
    checkId(`${owner}.destroy`, 'id', id);
    this.#records.delete(id);
  }

  #touch(id: string, expiresAt: number): void {
    const record = this.#find(id);
    if (record) this.#put(id, { ...record, expiresAt });
  }

  /** The record, if it is live; an expired one is removed. */
  #find(id: string): SessionRow | undefined {
    const record = this.#records.get(id);
    if (!record || isLive(record, this.#clock.now())) return record;
    this.#records.delete(id);
    return undefined;
  }

  /** Keeps the record, as the most recently used one. */
  #put(id: string, record: SessionRow): void {
    this.#records.delete(id);
    this.#records.set(id, record);
    this.#earliestExpiry = Math.min(this.#earliestExpiry, record.expiresAt);
  }

  #makeRoom(): void {
    const full = this.#records.size >= this.#maxSessions;
    const steps = this.#creationsSinceSweep * (full ? stepsPerCreation : 1);
    const now = this.#clock.now();
    if (steps >= this.#records.size && this.#earliestExpiry <= now) this.#sweep(now);
    if (this.#records.size < this.#maxSessions) return;
    for (const leastRecentlyUsed of this.#records.keys()) {
      this.#records.delete(leastRecentlyUsed);
      return;
    }
  }

  #sweep(now: number): void {
    this.#creationsSinceSweep = 0;
    this.#earliestExpiry = Number.POSITIVE_INFINITY;
    for (const [id, record] of this.#records) {
      if (!isLive(record, now)) this.#records.delete(id);
      else this.#earliestExpiry = Math.min(this.#earliestExpiry, record.expiresAt);
    }
  }
}

function isLive(record: SessionRow, now: number): boolean {
  return record.expiresAt > now;
}
