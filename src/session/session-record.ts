import type { Clock } from '../contracts/clock.js';
import type { JsonValue, SessionStore, StoredSession } from '../contracts/session-store.js';
import { withDeadline } from '../deadline.js';
import { ChannelError, codeOf } from '../errors.js';
import type { ErrorCode } from '../outcomes.js';
import { isThrown } from '../thrown.js';
import { type Changes, replay, type SessionData } from './changes.js';
import { frozenJson } from './json-value.js';
import { type DraftSource, SessionDraft } from './session-draft.js';
import { randomSessionId } from './session-id.js';
import type { SessionSettings } from './session-settings.js';

/** What a record needs of the server that it lives in. */
export interface RecordContext {
  readonly settings: SessionSettings;
  readonly clock: Clock;
  /** The deadline of each operation, in milliseconds. */
  readonly deadlineMs: number;
  report(error: unknown): void;
}

const empty: SessionData = new Map();

/**
 * How often a store may speak of a conflict and yet have no newer version before a commit gives up. Where it has one, somebody else came
 * through, and the commit is tried again until its deadline.
 */
const maxFruitlessAttempts = 16;

/** The session of one channel: what is committed, and the way to and from its store. */
export class SessionRecord implements DraftSource {
  readonly #context: RecordContext;
  readonly #store: SessionStore | undefined;
  /** Derived: shared with other channels, and kept when the channel ends. */
  readonly #shared: boolean;
  #id: string | undefined;
  #data: SessionData = empty;
  /** Version of the record in the store; 0 where there is none of ours. */
  #version = 0;
  #createdAt: Date | undefined;
  #refreshedAt = 0;
  /** A record that nobody can read stands in the way of the first write. */
  #corrupt = false;
  #destroyed = false;
  #commits: Promise<void> | undefined;

  /** @param sharedId the derived id; without one, the record is the channel's own. */
  constructor(context: RecordContext, sharedId?: string) {
    this.#context = context;
    this.#store = context.settings.store;
    this.#shared = sharedId !== undefined;
    this.#id = sharedId;
  }

  get data(): SessionData {
    return this.#data;
  }

  /** The view of one message. */
  draft(): SessionDraft {
    return new SessionDraft(this);
  }

  /** Reads the record at connect. Nothing to wait for where it cannot exist yet. */
  load(): Promise<void> | undefined {
    return this.#shared && this.#store !== undefined ? this.#read(this.#store) : undefined;
  }

  async reload(): Promise<void> {
    await this.#commits;
    if (this.#store === undefined || this.#id === undefined || (this.#version === 0 && !this.#shared)) return;
    await this.#read(this.#store);
  }

  /**
   * Saves what a message changed. Returns `undefined` where nothing was, or where there is no store to wait for.
   *
   * @throws {ChannelError} `ERR_SESSION_CONFLICT`, `ERR_SESSION_GONE` or `ERR_SESSION_SAVE_FAILED`; nothing is changed then.
   */
  commit(draft: SessionDraft): Promise<void> | undefined {
    const { base, changes } = draft;
    if (changes === undefined || (this.#destroyed && !this.#shared)) return undefined;
    const store = this.#store;
    if (store === undefined) {
      this.#data = replay(changes, base, this.#data);
      draft.discard();
      return undefined;
    }
    const save = async (): Promise<void> => {
      await this.#save(store, changes, base);
      draft.discard();
    };
    const done = this.#commits === undefined ? save() : this.#commits.then(save, save);
    const settled: Promise<void> = done.then(undefined, () => undefined);
    this.#commits = settled;
    void settled.then(() => {
      if (this.#commits === settled) this.#commits = undefined;
    });
    return done;
  }

  /** The id of a record that was neither saved nor touched since `before`, and that must be. */
  dueForTouch(before: number): string | undefined {
    return this.#version > 0 && !this.#destroyed && this.#refreshedAt <= before ? this.#id : undefined;
  }

  /** Notes that the record was touched. */
  touched(at: number): void {
    this.#refreshedAt = at;
  }

  /** Whether changes of the last message are worth a write: a record of the channel's own goes with it. */
  get outlivesChannel(): boolean {
    return this.#shared;
  }

  /** The channel has ended: its own record goes, a shared one stays. */
  end(): Promise<void> | undefined {
    if (this.#destroyed) return undefined;
    this.#destroyed = true;
    const store = this.#store;
    if (this.#shared || store === undefined || this.#id === undefined) return undefined;
    return this.#remove(store, this.#id);
  }

  async #remove(store: SessionStore, id: string): Promise<void> {
    await this.#commits;
    await this.#bounded('ERR_SESSION_SAVE_FAILED', 'destroy', () => store.destroy(id)).catch((error: unknown) =>
      this.#context.report(error),
    );
  }

  async #read(store: SessionStore): Promise<void> {
    const id = this.#id as string;
    const stored = await this.#bounded('ERR_SESSION_LOAD_FAILED', 'load', () => store.load(id));
    this.#version = 0;
    this.#data = empty;
    this.#createdAt = undefined;
    this.#corrupt = false;
    if (stored === undefined || stored === null) return;
    try {
      this.#take(stored);
    } catch {
      this.#corrupt = true;
      this.#context.report(new ChannelError('ERR_SESSION_CORRUPT', 'A stored channel session cannot be read; it is treated as absent.'));
    }
  }

  #take(stored: StoredSession): void {
    const { version, data, createdAt, expiresAt } = stored;
    if (!Number.isSafeInteger(version) || version < 1) throw new TypeError('version');
    if (!(createdAt instanceof Date) || !(expiresAt instanceof Date)) throw new TypeError('dates');
    if (typeof data !== 'object' || data === null || Array.isArray(data)) throw new TypeError('data');
    const values = Object.entries(data).map(([key, value]): [string, JsonValue] => [key, frozenJson(value, key)]);
    this.#data = new Map(values);
    this.#version = version;
    this.#createdAt = createdAt;
    this.#refreshedAt = expiresAt.getTime() - this.#context.settings.ttlMs;
  }

  async #save(store: SessionStore, changes: Changes, base: SessionData): Promise<void> {
    const { clock, deadlineMs } = this.#context;
    const end = clock.monotonic() + deadlineMs;
    for (let fruitless = 0; fruitless < maxFruitlessAttempts && clock.monotonic() <= end; ) {
      const known = this.#version;
      const data = replay(changes, base, this.#data);
      const now = clock.now();
      const createdAt = this.#createdAt ?? new Date(now);
      const next: StoredSession = {
        version: this.#version + 1,
        data: Object.freeze(Object.fromEntries(data)),
        createdAt,
        expiresAt: new Date(now + this.#context.settings.ttlMs),
      };
      if (await this.#write(store, next)) {
        this.#data = data;
        this.#version = next.version;
        this.#createdAt = createdAt;
        this.#refreshedAt = now;
        return;
      }
      if (this.#version === known) fruitless += 1;
    }
    throw new ChannelError('ERR_SESSION_CONFLICT', 'The session was saved by others again and again; giving up.');
  }

  /** Writes `next`; `false` where a newer version was met and read instead. */
  async #write(store: SessionStore, next: StoredSession): Promise<boolean> {
    const known = this.#version;
    try {
      if (known > 0) {
        const id = this.#id as string;
        await this.#bounded('ERR_SESSION_SAVE_FAILED', 'save', () => store.save(id, next, known));
      } else {
        await this.#create(store, next);
      }
      return true;
    } catch (error) {
      if (codeOf(error) !== 'ERR_SESSION_CONFLICT') throw error;
    }
    await this.#read(store);
    // one of another birth is no successor: what is written now would be mixed from both
    const isAnother = this.#createdAt?.getTime() !== next.createdAt.getTime();
    if (known > 0 && isAnother) throw new ChannelError('ERR_SESSION_GONE', 'The session was destroyed meanwhile; it stays so.');
    return false;
  }

  async #create(store: SessionStore, next: StoredSession): Promise<void> {
    this.#id ??= randomSessionId();
    const id = this.#id;
    if (this.#corrupt) {
      await this.#bounded('ERR_SESSION_SAVE_FAILED', 'destroy', () => store.destroy(id));
      this.#corrupt = false;
    }
    // a record of the channel's own that arrives after we gave up on it would outlive its channel
    const onLate = this.#shared ? undefined : (): void => void this.#remove(store, id);
    await this.#bounded('ERR_SESSION_SAVE_FAILED', 'create', () => store.create(id, next), onLate);
  }

  /** Runs one operation of the store under the deadline; failures that are no `ChannelError` become `code`. */
  async #bounded<T>(code: ErrorCode, operation: string, run: () => Promise<T>, onLate?: () => void): Promise<T> {
    const { clock, deadlineMs } = this.#context;
    const onTimeout = (): Error => new ChannelError(code, `The session store did not answer ${operation} within ${deadlineMs} ms.`);
    try {
      return await withDeadline(run, { clock, ms: deadlineMs, onTimeout }, onLate);
    } catch (error) {
      if (isThrown(error, ChannelError)) throw error;
      throw new ChannelError(code, `The session store failed to ${operation}.`, { cause: error });
    }
  }
}
