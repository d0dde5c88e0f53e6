import type { StoredSession } from '../contracts/session-store.js';
import { ChannelError, codeOf } from '../errors.js';
import type { BoundedStore } from './bounded-store.js';
import { type Changes, rebase } from './changes.js';
import { frozenSessionOf, type SessionRow } from './check-stored-session.js';
import { KnownRecord, type RecordContext } from './known-record.js';
import { type Committer, type MergedCommits, merge, noFailures, type WaitingCommit } from './merge-commits.js';
import { type Save, tellConflict, tellFailedConflicts, tellSave } from './session-events.js';
import { type ReadRecord, readRecord } from './stored-record.js';

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

/** A write that was tried. */
interface Write extends Save {
  readonly commits: readonly WaitingCommit[];
  readonly failures: MergedCommits['failures'];
}

interface WaitingRead {
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * A record and the queue of what is to be done to it. All channels of this process that share the record have this one. One operation runs
 * at a time; whatever commits wait meanwhile go into the next write together.
 */
export class SessionRecord extends KnownRecord {
  readonly #store: BoundedStore;
  /** A record that nobody can read stands in the place of ours. */
  #isCorrupt = false;
  #reads: WaitingRead[] = [];
  #commits: WaitingCommit[] = [];
  #working: Promise<void> | undefined;
  /** How often in a row others came first with a write, and how often the store merely said so. */
  #lost = 0;
  #fruitless = 0;

  /** @param sharedId the derived id; without one, the record is a channel's own. */
  constructor(context: RecordContext, store: BoundedStore, sharedId?: string) {
    super(context, sharedId);
    this.#store = store;
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
    if (this.isShared || this.version > 0) await this.read();
  }

  /** Saves what a message changed; `undefined` where that is done. */
  commit(changes: Changes, channel: Committer): Promise<void> | undefined {
    return this.#saveAtOnce(changes, channel) ? undefined : this.#commitInTurn(changes, channel);
  }

  /** Saves it without a wait, if it can. Whatever stands in the way is met again in turn, and dealt with there. */
  #saveAtOnce(changes: Changes, channel: Committer): boolean {
    if (this.#working !== undefined || this.version === 0 || this.isGone) return false;
    const { atOnce } = this.#store;
    if (atOnce === undefined) return false;
    const { events } = this.context;
    const start = events.start('save');
    try {
      const { version } = this; // a function of an update, which may run again here, may let somebody else save
      const rebased = rebase(changes, this.data.values);
      const next = this.with(rebased, version);
      atOnce.saveAtOnce(this.id as string, next, version);
      this.wrote(next, rebased);
    } catch {
      return false;
    }
    if (start !== undefined) tellSave(events, { commits: [{ channel }], failures: noFailures, start });
    return true;
  }

  #commitInTurn(changes: Changes, channel: Committer): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = this.context.clock.monotonic() + this.context.deadlineMs;
      this.#commits.push({ changes, channel, end, resolve, reject });
      this.#working ??= this.#work();
    });
  }

  /** Destroys the record, once what was to be done to it is done. Never rejects. */
  async destroy(): Promise<void> {
    await this.#working;
    if (this.id !== undefined) await this.#store.remove(this.id);
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
      if (!this.isGone) await this.#readStored();
      for (const read of reads) read.resolve();
    } catch (error) {
      for (const read of reads) read.reject(error);
    }
  }

  /** Tries to save whatever waits, in one write. */
  async #saveAll(): Promise<void> {
    const commits = this.#commits;
    this.#commits = [];
    if (this.isGone) {
      for (const commit of commits) commit.reject(gone());
      return;
    }
    const { events } = this.context;
    const start = events.start('save');
    const { version } = this; // from before functions of updates run again
    const { changes, failures } = merge(commits, this.data.values);
    if (changes !== undefined) {
      try {
        const next = this.with(changes, version);
        await this.#write(next);
        this.wrote(next, changes);
      } catch (error) {
        await this.#refused(error, { commits, failures, start });
        return;
      }
      tellSave(events, { commits, failures, start });
      for (const commit of commits) if (!failures.has(commit)) commit.resolve();
    }
    this.#rejectAll(failures);
  }

  protected override wrote(next: SessionRow, changes: Changes): void {
    super.wrote(next, changes);
    this.#lost = 0;
    this.#fruitless = 0;
  }

  #rejectAll(failures: MergedCommits['failures']): void {
    tellFailedConflicts(this.context.events, failures);
    for (const [commit, error] of failures) commit.reject(error);
  }

  /** A write has failed: where others came first, its commits wait on. */
  async #refused(refusal: unknown, write: Write): Promise<void> {
    try {
      await this.#yieldTo(refusal);
    } catch (error) {
      tellSave(this.context.events, { ...write, error });
      for (const commit of write.commits) if (!write.failures.has(commit)) commit.reject(error);
      this.#rejectAll(write.failures);
      return;
    }
    await this.#waitOn(write.commits);
  }

  /** Others came first: lets them have their turn, then tries again with those whose time is not over. */
  async #waitOn(commits: readonly WaitingCommit[]): Promise<void> {
    const { clock, random, events } = this.context;
    if (this.#lost > attemptsAtOnce) {
      const ms = random() * Math.min(firstPauseMs * 2 ** (this.#lost - attemptsAtOnce - 1), maxPauseMs);
      await new Promise<void>((resolve) => {
        clock.setTimer(resolve, ms);
      });
    }
    const now = clock.monotonic();
    // one that lost once may have lost because the process was asleep: others went on meanwhile
    const hasLostAgain = this.#lost + this.#fruitless > 1;
    const isOver = (commit: WaitingCommit): boolean => this.#fruitless >= maxFruitlessAttempts || (commit.end < now && hasLostAgain);
    tellConflict(events, commits, isOver);
    for (const commit of commits) {
      if (isOver(commit))
        commit.reject(new ChannelError('ERR_SESSION_CONFLICT', 'The session was saved by others again and again; giving up.'));
    }
    this.#commits = [...commits.filter((commit) => !isOver(commit)), ...this.#commits];
    if (this.#fruitless >= maxFruitlessAttempts) this.#fruitless = 0;
  }

  #write(row: SessionRow): Promise<void> {
    const next = frozenSessionOf(row);
    return next.version > 1 ? this.#store.save(this.id as string, next, next.version - 1) : this.#create(next);
  }

  #create(next: StoredSession): Promise<void> {
    const id = this.named();
    // a record of the channel's own that arrives after we gave up on it would outlive its channel
    const onLate = this.isShared ? undefined : (): void => void this.#store.remove(id);
    return this.#store.create(id, next, onLate);
  }

  /** Reads what stands in the way of a write. Throws `error` where that is not what failed it, or where the record is gone. */
  async #yieldTo(error: unknown): Promise<void> {
    const code = codeOf(error);
    if (code === 'ERR_SESSION_GONE') this.vanish();
    if (code !== 'ERR_SESSION_CONFLICT') throw error;
    const known = this.version;
    await this.#readStored();
    if (this.isGone) throw gone();
    if (this.version === known) this.#fruitless += 1;
    else this.#lost += 1;
    // seen twice, so it is not one that another process is just replacing
    if (this.#isCorrupt) await this.#store.destroy(this.id as string);
  }

  async #readStored(): Promise<void> {
    const stored = await this.#store.load(this.id as string);
    const isAbsent = stored === undefined || stored === null;
    if (isAbsent) this.#isCorrupt = false;
    this.met(isAbsent ? undefined : this.#readable(stored));
  }

  /** The record, or `undefined` for one that cannot be read; that is told of once. */
  #readable(stored: StoredSession): ReadRecord | undefined {
    try {
      const read = readRecord(stored);
      this.#isCorrupt = false;
      return read;
    } catch (cause) {
      // where ours stood there, its loss is told of by whoever wanted to change it
      if (!this.#isCorrupt && this.version === 0) {
        const text = 'A stored channel session cannot be read; it is treated as absent.';
        this.context.report(new ChannelError('ERR_SESSION_CORRUPT', text, { cause }));
      }
      this.#isCorrupt = true;
      return undefined;
    }
  }
}

function gone(): ChannelError {
  return new ChannelError('ERR_SESSION_GONE', 'The session was destroyed meanwhile; it stays so.');
}
