import type { Clock } from '../contracts/clock.js';
import type { StoredSession } from '../contracts/session-store.js';
import { ChannelError, codeOf } from '../errors.js';
import type { Events } from '../events.js';
import type { BoundedStore } from './bounded-store.js';
import type { Changes } from './changes.js';
import { asFrozenJson } from './json-value.js';
import { merge, type WaitingCommit } from './merge-commits.js';
import { objectOf, SessionData } from './session-data.js';
import { tellConflict, tellFailedConflicts, tellSave } from './session-events.js';
import { randomSessionId } from './session-id.js';
import type { SessionSettings } from './session-settings.js';
import { type ReadRecord, readRecord } from './stored-record.js';

/** What a record needs of the server that it lives in. */
export interface RecordContext {
  readonly settings: SessionSettings;
  readonly clock: Clock;
  /** From 0 to 1, as `Math.random` gives it: spreads the attempts of those who write one record. */
  readonly random: () => number;
  /** The deadline of each operation, in milliseconds. */
  readonly deadlineMs: number;
  readonly events: Events;
  report(error: unknown): void;
}

/**
 * How often a store may speak of a conflict and yet have no newer version before a commit gives up. Where it has one, somebody else came
 * through, and the commit is tried again until its deadline.
 */
const maxFruitlessAttempts = 16;

/** So often may others come first before an attempt waits: two that met once seldom meet again. */
const attemptsAtOnce = 2;
/** How long the first attempt that waits does so at most; each one after it twice as long as the one before. */
const firstPauseMs = 4;
const maxPauseMs = 250;

interface WaitingRead {
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * A record of a store as this process knows it: what is committed, and the queue of what is to be done to it. All channels that share the
 * record have this one. One operation runs at a time; whatever commits wait meanwhile go into the next write together.
 */
export class SessionRecord {
  readonly data: SessionData = new SessionData();
  readonly #context: RecordContext;
  readonly #store: BoundedStore;
  /** Derived: shared with other channels, and kept when they end. */
  readonly isShared: boolean;
  #id: string | undefined;
  /** Version of the record in the store; 0 where there is none of ours. */
  #version = 0;
  /** When it was created: one created at another time is not ours. */
  #birth: number | undefined;
  /** When it was last saved or touched, on the monotonic clock: the other one may jump. */
  #refreshedAt = 0;
  /** A record that nobody can read stands in the place of ours. */
  #isCorrupt = false;
  #isGone = false;
  #reads: WaitingRead[] = [];
  #commits: WaitingCommit[] = [];
  #working: Promise<void> | undefined;
  /** How often in a row others came first with a write, and how often the store merely said so. */
  #lost = 0;
  #fruitless = 0;

  /** @param sharedId the derived id; without one, the record is a channel's own. */
  constructor(context: RecordContext, store: BoundedStore, sharedId?: string) {
    this.#context = context;
    this.#store = store;
    this.isShared = sharedId !== undefined;
    this.#id = sharedId;
  }

  /** `undefined` where it is a channel's own and was never written. */
  get id(): string | undefined {
    return this.#id;
  }

  /** Whether somebody destroyed it, or it has expired: it stays so, and there may be another of its id. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** The id of a record that was neither saved nor touched since `before`, and that must be. */
  dueForTouch(before: number): string | undefined {
    return this.#version > 0 && !this.#isGone && this.#refreshedAt <= before ? this.#id : undefined;
  }

  /** Notes that the record was touched. */
  touched(at: number): void {
    this.#refreshedAt = at;
  }

  /** Reads the record as it is now; those who ask at the same time share one look. */
  read(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#reads.push({ resolve, reject });
      this.#working ??= this.#work();
    });
  }

  /** Reads what others may have written; nothing to do where nobody else knows the record. */
  async reload(): Promise<void> {
    await this.#working;
    if (this.isShared || this.#version > 0) await this.read();
  }

  /** Saves what a message changed. */
  commit(changes: Changes, channelId: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = this.#context.clock.monotonic() + this.#context.deadlineMs;
      this.#commits.push({ changes, channelId, end, resolve, reject });
      this.#working ??= this.#work();
    });
  }

  /** Destroys the record, once what was to be done to it is done. Never rejects. */
  async destroy(): Promise<void> {
    await this.#working;
    if (this.#id !== undefined) await this.#remove(this.#id);
  }

  async #remove(id: string): Promise<void> {
    await this.#store.destroy(id).catch((error: unknown) => this.#context.report(error));
  }

  async #work(): Promise<void> {
    while (this.#reads.length > 0 || this.#commits.length > 0) {
      if (this.#reads.length > 0) await this.#readForAll();
      if (this.#commits.length > 0) await this.#saveAll();
    }
    this.#working = undefined;
  }

  async #readForAll(): Promise<void> {
    const reads = this.#reads;
    this.#reads = [];
    try {
      if (!this.#isGone) await this.#readStored();
      for (const read of reads) read.resolve();
    } catch (error) {
      for (const read of reads) read.reject(error);
    }
  }

  /** Tries to save whatever waits, in one write. Where others come first, it waits on. */
  async #saveAll(): Promise<void> {
    const commits = this.#commits;
    this.#commits = [];
    if (this.#isGone) {
      for (const commit of commits) commit.reject(gone());
      return;
    }
    const { events } = this.#context;
    const start = events.start('save');
    const { changes, failures } = merge(commits, this.data.values);
    try {
      if (changes !== undefined && !(await this.#write(changes))) {
        await this.#waitOn(commits);
        return;
      }
      if (changes !== undefined) tellSave(events, { commits, failures, start });
      for (const commit of commits) if (!failures.has(commit)) commit.resolve();
    } catch (error) {
      tellSave(events, { commits, failures, start, error });
      for (const commit of commits) if (!failures.has(commit)) commit.reject(error);
    }
    tellFailedConflicts(events, failures);
    for (const [commit, error] of failures) commit.reject(error);
  }

  /** Others came first: lets them have their turn, then tries again with those whose time is not over. */
  async #waitOn(commits: readonly WaitingCommit[]): Promise<void> {
    const { clock, random, events } = this.#context;
    if (this.#lost > attemptsAtOnce) {
      const ms = random() * Math.min(firstPauseMs * 2 ** (this.#lost - attemptsAtOnce - 1), maxPauseMs);
      await new Promise<void>((resolve) => {
        clock.setTimer(resolve, ms);
      });
    }
    const now = clock.monotonic();
    const isOver = (commit: WaitingCommit): boolean => this.#fruitless >= maxFruitlessAttempts || commit.end < now;
    tellConflict(events, commits, isOver);
    for (const commit of commits) {
      if (isOver(commit))
        commit.reject(new ChannelError('ERR_SESSION_CONFLICT', 'The session was saved by others again and again; giving up.'));
    }
    this.#commits = [...commits.filter((commit) => !isOver(commit)), ...this.#commits];
    if (this.#fruitless >= maxFruitlessAttempts) this.#fruitless = 0;
  }

  /** Writes the record with `changes`; `false` where a newer version was met, and read instead. */
  async #write(changes: Changes): Promise<boolean> {
    const { clock, settings } = this.#context;
    const known = this.#version;
    const now = clock.now();
    const birth = this.#birth ?? now;
    const next: StoredSession = {
      version: known + 1,
      data: asFrozenJson(objectOf(this.data.values, changes)),
      createdAt: new Date(birth),
      expiresAt: new Date(now + settings.ttlMs),
    };
    try {
      if (known > 0) await this.#store.save(this.#id as string, next, known);
      else await this.#create(next);
    } catch (error) {
      await this.#yieldTo(error);
      return false;
    }
    this.data.apply(changes);
    this.#version = next.version;
    this.#birth = birth;
    this.#refreshedAt = clock.monotonic();
    this.#lost = 0;
    this.#fruitless = 0;
    return true;
  }

  async #create(next: StoredSession): Promise<void> {
    this.#id ??= randomSessionId();
    const id = this.#id;
    // a record of the channel's own that arrives after we gave up on it would outlive its channel
    const onLate = this.isShared ? undefined : (): void => void this.#remove(id);
    await this.#store.create(id, next, onLate);
  }

  /** Reads what stands in the way of a write. Throws `error` where that is not what failed it, or where the record is gone. */
  async #yieldTo(error: unknown): Promise<void> {
    const code = codeOf(error);
    if (code === 'ERR_SESSION_GONE') this.#vanish();
    if (code !== 'ERR_SESSION_CONFLICT') throw error;
    const known = this.#version;
    await this.#readStored();
    if (this.#isGone) throw gone();
    if (this.#version === known) this.#fruitless += 1;
    else this.#lost += 1;
    // seen twice, so it is not one that another process is just replacing
    if (this.#isCorrupt) await this.#store.destroy(this.#id as string);
  }

  async #readStored(): Promise<void> {
    const stored = await this.#store.load(this.#id as string);
    const isAbsent = stored === undefined || stored === null;
    if (isAbsent) this.#isCorrupt = false;
    const found = isAbsent ? undefined : this.#check(stored);
    // one of another birth is no successor: what is written now would be mixed from both
    if (this.#version > 0 && found?.birth !== this.#birth) this.#vanish();
    else if (found !== undefined) this.#adopt(found);
  }

  /** The record, or `undefined` for one that cannot be read; that is told of once. */
  #check(stored: StoredSession): ReadRecord | undefined {
    try {
      return readRecord(stored);
    } catch {
      // where ours stood there, its loss is told of by whoever wanted to change it
      if (!this.#isCorrupt && this.#version === 0) {
        this.#context.report(new ChannelError('ERR_SESSION_CORRUPT', 'A stored channel session cannot be read; it is treated as absent.'));
      }
      this.#isCorrupt = true;
      return undefined;
    }
  }

  #adopt({ version, values, birth, expiresAt }: ReadRecord): void {
    const { clock, settings } = this.#context;
    const age = Math.min(Math.max(clock.now() + settings.ttlMs - expiresAt, 0), settings.ttlMs);
    this.#refreshedAt = clock.monotonic() - age;
    this.#isCorrupt = false;
    if (version === this.#version) return;
    this.data.replace(values);
    this.#version = version;
    this.#birth = birth;
  }

  #vanish(): void {
    this.#isGone = true;
    this.data.replace();
  }
}

function gone(): ChannelError {
  return new ChannelError('ERR_SESSION_GONE', 'The session was destroyed meanwhile; it stays so.');
}
