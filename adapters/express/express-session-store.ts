import { checkId } from '../../src/check-id.js';
import { checkedTime } from '../../src/checked-date.js';
import { aString, checkedOptions, checkOption, type Rules } from '../../src/checked-options.js';
import type { SessionStore, StoredSession } from '../../src/contracts/session-store.js';
import { ChannelError } from '../../src/errors.js';
import { checkExpectedVersion, checkedRow, type SessionRow, storedSessionOf } from '../../src/session/check-stored-session.js';
import { systemClock } from '../../src/time/system-clock.js';
import { defaultTimeoutMs } from '../../src/time/timed-options.js';
import { recordIn, sessionOf } from './channel-record.js';
import { anExpressStore, type ExpressStore, StoreCalls } from './express-store.js';
import { inTurn } from './in-turn.js';
import { type ExpressOptions, expressRules } from './options.js';

/** Options of {@link ExpressSessionStore}. */
export interface ExpressSessionStoreOptions extends ExpressOptions {
  /** What the ids of channel sessions start with in the store, apart from those of HTTP sessions. @default 'channel:' */
  readonly prefix?: string | undefined;
}

const owner = 'ExpressSessionStore';
/** What stands in the place of a record that nobody can read. */
const unreadable: SessionRow = { version: Number.NaN, data: {}, createdAt: Number.NaN, expiresAt: Number.NaN };
const rules: Rules<ExpressSessionStoreOptions> = { ...expressRules, prefix: aString };

/**
 * Keeps channel sessions in any store for express-session.
 *
 * Such a store has no compare-and-set. One process does everything with one record in turn, and keeps every promise of the contract. Two
 * processes do not: if both save at once, the last one wins, and a record that is destroyed meanwhile may come back. If that matters, take
 * a store with compare-and-set, such as `MongoSessionStore`.
 *
 * The store decides when a record has expired. If its `touch` does not change what is stored (connect-mongo, connect-redis), a touched
 * record is loaded with its former `expiresAt`.
 */
export class ExpressSessionStore implements SessionStore {
  readonly timeoutMs: number;
  readonly #calls: StoreCalls;
  readonly #prefix: string;

  /** @throws {TypeError} when `store` is none, or an option is out of its range. */
  constructor(store: ExpressStore, options: ExpressSessionStoreOptions = {}) {
    checkOption(owner, 'store', store, anExpressStore);
    const { timeoutMs = defaultTimeoutMs, clock = systemClock, prefix = 'channel:' } = checkedOptions(owner, options, rules);
    this.timeoutMs = timeoutMs;
    this.#prefix = prefix;
    this.#calls = new StoreCalls(store, { clock, ms: timeoutMs });
  }

  /** As the contract says. An unreadable record gets an impossible version, so that the core reports it and treats it as absent. */
  async load(id: string): Promise<StoredSession | undefined> {
    checkId(`${owner}.load`, 'id', id);
    const session = await this.#calls.get(this.#keyOf(id));
    return session && storedSessionOf(recordIn(session) ?? unreadable);
  }

  async create(id: string, session: StoredSession): Promise<void> {
    checkId(`${owner}.create`, 'id', id);
    const record = checkedRow(`${owner}.create`, session);
    await this.#inTurn(id, async (key) => {
      if (await this.#find(key)) throw new ChannelError('ERR_SESSION_CONFLICT', 'There is a session of this id already.');
      await this.#set(key, record);
    });
  }

  async save(id: string, session: StoredSession, expectedVersion: number): Promise<void> {
    checkId(`${owner}.save`, 'id', id);
    checkExpectedVersion(`${owner}.save`, expectedVersion);
    const record = checkedRow(`${owner}.save`, session);
    await this.#inTurn(id, async (key) => {
      const current = await this.#find(key);
      if (current?.createdAt !== record.createdAt)
        throw new ChannelError('ERR_SESSION_GONE', 'The session was destroyed, or it has expired.');
      if (current.version !== expectedVersion) {
        throw new ChannelError('ERR_SESSION_CONFLICT', 'The session was saved by someone else meanwhile.');
      }
      await this.#set(key, record);
    });
  }

  async touch(id: string, expiresAt: Date): Promise<void> {
    checkId(`${owner}.touch`, 'id', id);
    const time = checkedTime(`${owner}.touch`, 'expiresAt', expiresAt);
    await this.#inTurn(id, async (key) => {
      const record = await this.#find(key);
      if (record === undefined) return;
      await this.#calls.touch(key, sessionOf(this.#calls.store, key, { ...record, expiresAt: time }));
    });
  }

  async destroy(id: string): Promise<void> {
    checkId(`${owner}.destroy`, 'id', id);
    await this.#inTurn(id, (key) => this.#calls.destroy(key));
  }

  #keyOf(id: string): string {
    return this.#prefix + id;
  }

  #inTurn<Result>(id: string, work: (key: string) => Promise<Result>): Promise<Result> {
    const key = this.#keyOf(id);
    return inTurn(this.#calls.store, key, () => work(key));
  }

  async #find(key: string): Promise<SessionRow | undefined> {
    const session = await this.#calls.get(key);
    return session && recordIn(session);
  }

  async #set(key: string, record: SessionRow): Promise<void> {
    await this.#calls.set(key, sessionOf(this.#calls.store, key, record));
  }
}
