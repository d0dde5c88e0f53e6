import { checkedIds, checkId } from '../check-id.js';
import { checkedTime } from '../checked-date.js';
import { anInteger, aWallClock, checkedOptions, type Rules } from '../checked-options.js';
import type { Clock } from '../contracts/clock.js';
import type { SessionStore, StoredSession } from '../contracts/session-store.js';
import { ChannelError } from '../errors.js';
import { SweepPace } from '../sweep-pace.js';
import { checkExpectedVersion, checkedRow, frozenSessionOf, type SessionRow } from './check-stored-session.js';
import { type Listed, RecencyList } from './recency-list.js';

/** Options of {@link MemorySessionStore}. */
export interface MemorySessionStoreOptions {
  /** How many records are kept at most, an integer of at least 1. @default 100,000 */
  readonly maxSessions?: number | undefined;
  /** Tells the time that expiry is compared with. @default the machine's clock */
  readonly clock?: Pick<Clock, 'now'> | undefined;
}

const rules: Rules<MemorySessionStoreOptions> = { maxSessions: anInteger(1), clock: aWallClock };

/** So many records may each creation since the last sweep look at while the store is full; else as few as {@link SweepPace} says. */
const stepsPerCreationWhenFull = 64;

const owner = 'MemorySessionStore';

interface Kept extends Listed<Kept> {
  readonly id: string;
  record: SessionRow;
}

/**
 * Keeps channel sessions in this process, and loses them with it.
 *
 * Its size is bounded. When it is full, a new record replaces the expired ones, or the least recently used one if none has expired; the
 * sessions of that record's channels are then gone. It has no timers: an expired record is refused at once, and removed when it is met, or
 * by a sweep while others are created. With more than 64 records, a full store sweeps at most once in `maxSessions / 64` creations, and
 * drops the least recently used record in between.
 *
 * `load` gives deeply frozen data.
 */
export class MemorySessionStore implements SessionStore {
  readonly #maxSessions: number;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #kept = new Map<string, Kept>();
  readonly #uses = new RecencyList<Kept>();
  /** No record expires before this moment. */
  #earliestExpiry = Number.POSITIVE_INFINITY;
  readonly #pace = new SweepPace();

  /** @throws {TypeError} when an option is out of its range. */
  // with a default, so that a container makes it without being told how
  constructor(options: MemorySessionStoreOptions = {}) {
    const { maxSessions = 100_000, clock = Date } = checkedOptions(owner, options, rules);
    this.#maxSessions = maxSessions;
    this.#clock = clock;
  }

  /** How many records are kept, including expired ones that were not removed yet. */
  get size(): number {
    return this.#kept.size;
  }

  async load(id: string): Promise<StoredSession | undefined> {
    checkId(`${owner}.load`, 'id', id);
    const kept = this.#find(id);
    if (!kept) return undefined;
    this.#uses.use(kept);
    return frozenSessionOf(kept.record);
  }

  /** @throws {TypeError} (as a rejection) when the session is none that can be kept, for example with an invalid date. */
  async create(id: string, session: StoredSession): Promise<void> {
    checkId(`${owner}.create`, 'id', id);
    const record = checkedRow(`${owner}.create`, session);
    if (this.#find(id)) throw new ChannelError('ERR_SESSION_CONFLICT', 'There is a session of this id already.');
    this.#makeRoom();
    const kept: Kept = { id, record, before: undefined, after: undefined };
    this.#kept.set(id, kept);
    this.#uses.add(kept);
    this.#noteExpiry(record);
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
    const kept = this.#find(id);
    if (kept?.record.createdAt !== record.createdAt)
      throw new ChannelError('ERR_SESSION_GONE', 'The session was destroyed, or it has expired.');
    if (kept.record.version !== expectedVersion)
      throw new ChannelError('ERR_SESSION_CONFLICT', 'The session was saved by someone else meanwhile.');
    this.#replace(kept, record);
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
    const kept = this.#kept.get(id);
    if (kept) this.#delete(kept);
  }

  #touch(id: string, expiresAt: number): void {
    const kept = this.#find(id);
    if (kept) this.#replace(kept, { ...kept.record, expiresAt });
  }

  /** The one with the record of `id`, if that is live; an expired one is removed. */
  #find(id: string): Kept | undefined {
    const kept = this.#kept.get(id);
    if (!kept || isLive(kept.record, this.#clock.now())) return kept;
    this.#delete(kept);
    return undefined;
  }

  #replace(kept: Kept, record: SessionRow): void {
    kept.record = record;
    this.#uses.use(kept);
    this.#noteExpiry(record);
  }

  #noteExpiry({ expiresAt }: SessionRow): void {
    this.#earliestExpiry = Math.min(this.#earliestExpiry, expiresAt);
  }

  #delete(kept: Kept): void {
    this.#kept.delete(kept.id);
    this.#uses.delete(kept);
  }

  #makeRoom(): void {
    const full = this.#kept.size >= this.#maxSessions;
    const steps = full ? stepsPerCreationWhenFull : undefined;
    const now = this.#clock.now();
    this.#pace.added();
    if (this.#earliestExpiry <= now && this.#pace.isDue(this.#kept.size, steps)) this.#sweep(now);
    const leastRecentlyUsed = this.#uses.first;
    if (leastRecentlyUsed && this.#kept.size >= this.#maxSessions) this.#delete(leastRecentlyUsed);
  }

  #sweep(now: number): void {
    this.#earliestExpiry = Number.POSITIVE_INFINITY;
    for (const kept of this.#kept.values()) {
      if (isLive(kept.record, now)) this.#noteExpiry(kept.record);
      else this.#delete(kept);
    }
  }
}

function isLive(record: SessionRow, now: number): boolean {
  return record.expiresAt > now;
}
