import { setImmediate as nextTurn } from 'node:timers/promises';
import { MemorySessionStore } from '../../entries/memory.js';
import type { JsonObject, SessionStore, StoredSession } from '../../src/contracts/session-store.js';
import { ChannelError } from '../../src/errors.js';

/** Inserts where there is no record: a destroyed session comes back to life. */
export class UpsertingSave extends MemorySessionStore {
  override async save(id: string, session: StoredSession, expectedVersion: number): Promise<void> {
    if (await this.load(id)) await super.save(id, session, expectedVersion);
    else await super.create(id, session);
  }
}

/** Overwrites whatever is there, as session stores of web frameworks do. */
export class LastWriterWins extends MemorySessionStore {
  override async save(id: string, session: StoredSession): Promise<void> {
    const current = await this.load(id);
    if (!current) throw new ChannelError('ERR_SESSION_GONE', 'gone');
    const own = { ...session, createdAt: current.createdAt };
    let { version } = current;
    while (await isConflict(super.save(id, own, version))) version = (await this.load(id))?.version ?? 0;
  }
}

/** Takes every version for an old one. */
export class NeverSaves extends MemorySessionStore {
  override async save(id: string): Promise<void> {
    throw new ChannelError((await this.load(id)) ? 'ERR_SESSION_CONFLICT' : 'ERR_SESSION_GONE', 'refused');
  }
}

/** Compares, lets others in between, and then sets. */
export class CheckThenSave extends MemorySessionStore {
  override async save(id: string, session: StoredSession, expectedVersion: number): Promise<void> {
    const current = await this.load(id);
    if (!current) throw new ChannelError('ERR_SESSION_GONE', 'gone');
    if (current.version !== expectedVersion) throw new ChannelError('ERR_SESSION_CONFLICT', 'conflict');
    await nextTurn();
    const newest = await this.load(id);
    if (newest) await super.save(id, session, newest.version);
  }
}

/** Replaces a live record. */
export class ReplacingCreate extends MemorySessionStore {
  override async create(id: string, session: StoredSession): Promise<void> {
    await this.destroy(id);
    await super.create(id, session);
  }
}

/** Looks, lets others in between, and then inserts. */
export class CheckThenCreate extends MemorySessionStore {
  override async create(id: string, session: StoredSession): Promise<void> {
    if (await this.load(id)) throw new ChannelError('ERR_SESSION_CONFLICT', 'conflict');
    await nextTurn();
    await this.destroy(id);
    await super.create(id, session);
  }
}

/** Finds what it destroys or touches by more than the id. */
class Careless extends MemorySessionStore {
  readonly #ids = new Set<string>();

  override async create(id: string, session: StoredSession): Promise<void> {
    await super.create(id, session);
    this.#ids.add(id);
  }

  protected found(accepts: (id: string) => boolean): readonly string[] {
    return [...this.#ids].filter(accepts);
  }
}

/** Takes an id for a pattern, as `KEYS` and `LIKE` do. */
export class DestroysByPattern extends Careless {
  override async destroy(id: string): Promise<void> {
    await super.destroy(id);
    const [start = '', ...rest] = id.split('*');
    if (rest.length > 0) for (const each of this.found((other) => other.startsWith(start))) await super.destroy(each);
  }
}

/** Takes an id for the beginning of one. */
export class TouchesByPrefix extends Careless {
  override async touch(id: string, expiresAt: Date): Promise<void> {
    await super.touch(id, expiresAt);
    for (const each of this.found((other) => other.startsWith(id))) await super.touch(each, expiresAt);
  }
}

/** Leaves out what is empty, as some mappers of objects to documents do unless they are told otherwise. */
export class LeavesOutEmpty extends MemorySessionStore {
  override async load(id: string): Promise<StoredSession | undefined> {
    const loaded = await super.load(id);
    if (loaded === undefined) return undefined;
    const isEmpty = (value: unknown) => value === null || (typeof value === 'object' && Object.keys(value).length === 0);
    const kept = JSON.stringify(loaded.data, function (key, value: unknown) {
      return key !== '' && !Array.isArray(this) && isEmpty(value) ? undefined : value;
    });
    return { ...loaded, data: JSON.parse(kept) as StoredSession['data'] };
  }
}

/** Passes over spaces at the end of an id, as columns of some databases do. */
export class TrimsIds extends MemorySessionStore {
  override create(id: string, session: StoredSession): Promise<void> {
    return super.create(textOf(id).trimEnd(), session);
  }

  override load(id: string): Promise<StoredSession | undefined> {
    return super.load(textOf(id).trimEnd());
  }
}

/** Brings the record back that it had before it was destroyed. */
export class RevivingTouch extends MemorySessionStore {
  readonly #last = new Map<string, StoredSession>();

  override async create(id: string, session: StoredSession): Promise<void> {
    await super.create(id, session);
    this.#last.set(id, session);
  }

  override async touch(id: string, expiresAt: Date): Promise<void> {
    const last = this.#last.get(id);
    if (last && !(await this.load(id))) await super.create(id, { ...last, expiresAt });
    else await super.touch(id, expiresAt);
  }

  override async touchMany(ids: readonly string[], expiresAt: Date): Promise<void> {
    for (const id of ids) await this.touch(id, expiresAt);
  }
}

/** Counts a touch as a save. */
export class VersioningTouch extends MemorySessionStore {
  override async touch(id: string, expiresAt: Date): Promise<void> {
    const current = await this.load(id);
    if (current) await this.save(id, { ...current, version: current.version + 1, expiresAt }, current.version);
  }
}

/** Leaves expiry to a job that has not run yet. */
export class NeverExpires extends MemorySessionStore {
  constructor() {
    super({ clock: { now: () => 0 } });
  }
}

/** Reports every refusal with an error of its own. */
export class OtherErrors extends MemorySessionStore {
  override async save(id: string, session: StoredSession, expectedVersion: number): Promise<void> {
    await super.save(id, session, expectedVersion).catch(() => {
      throw new Error('optimistic lock failed');
    });
  }
}

/** Of several records only the first is touched. */
export class TouchesTheFirstOnly extends MemorySessionStore {
  override async touchMany(ids: readonly string[], expiresAt: Date): Promise<void> {
    for (const id of ids.slice(0, 1)) await this.touch(id, expiresAt);
  }
}

/** A destroy that never arrives. */
export class ForgetsDestroy extends MemorySessionStore {
  override async destroy(): Promise<void> {}
}

/** Puts the times through JSON and does not make dates of them again. */
export class TimesAsText extends MemorySessionStore {
  override async load(id: string): Promise<StoredSession | undefined> {
    const session = await super.load(id);
    return session && JSON.parse(JSON.stringify(session));
  }
}

/** Takes capitals for small letters. */
export class IgnoresCase extends MemorySessionStore {
  override load(id: string): Promise<StoredSession | undefined> {
    return super.load(id.toLowerCase());
  }

  override create(id: string, session: StoredSession): Promise<void> {
    return super.create(id.toLowerCase(), session);
  }
}

/** Copies members one by one: a key named __proto__ sets the prototype of the copy. */
export class NaiveCopy extends MemorySessionStore {
  override create(id: string, session: StoredSession): Promise<void> {
    return super.create(id, { ...session, data: copyOf(session.data) });
  }
}

function copyOf(data: JsonObject): JsonObject {
  const copy: Record<string, JsonObject[string]> = {};
  for (const key of Object.keys(data)) copy[key] = data[key]!;
  return copy;
}

/** Keeps and gives out the very objects that it was given, under the members of a plain object. */
export class PlainObjectStore implements SessionStore {
  readonly #records: Record<string, StoredSession | undefined> = {};

  #live(id: string): StoredSession | undefined {
    const session = this.#records[id];
    return session && session.expiresAt.getTime() <= Date.now() ? undefined : session;
  }

  async load(id: string): Promise<StoredSession | undefined> {
    return this.#live(id);
  }

  async create(id: string, session: StoredSession): Promise<void> {
    if (this.#live(id)) throw new ChannelError('ERR_SESSION_CONFLICT', 'conflict');
    this.#records[id] = session;
  }

  async save(id: string, session: StoredSession, expectedVersion: number): Promise<void> {
    const current = this.#live(id);
    if (!current) throw new ChannelError('ERR_SESSION_GONE', 'gone');
    if (current.version !== expectedVersion) throw new ChannelError('ERR_SESSION_CONFLICT', 'conflict');
    this.#records[id] = session;
  }

  async touch(id: string, expiresAt: Date): Promise<void> {
    const session = this.#live(id);
    if (session) this.#records[id] = { ...session, expiresAt };
  }

  async destroy(id: string): Promise<void> {
    delete this.#records[id];
  }
}

/** Makes text of whatever it is given as an id. */
export class TakesAnyId extends MemorySessionStore {
  override load(id: string): Promise<StoredSession | undefined> {
    return super.load(textOf(id));
  }

  override touch(id: string, expiresAt: Date): Promise<void> {
    return super.touch(textOf(id), expiresAt);
  }

  override touchMany(ids: readonly string[], expiresAt: Date): Promise<void> {
    return super.touchMany(Array.from(ids ?? [], textOf), expiresAt);
  }

  override destroy(id: string): Promise<void> {
    return super.destroy(textOf(id));
  }
}

/** Its refusals are thrown at its caller, not handed over in a promise. */
export class ThrowsAtOnce extends MemorySessionStore {
  override destroy(id: string): Promise<void> {
    if (typeof id !== 'string' || id === '') throw new TypeError('no id');
    return super.destroy(id);
  }
}

/** Takes a record for the one that a writer knew if only the version is the same. */
export class IgnoresBirth extends MemorySessionStore {
  override async save(id: string, session: StoredSession, expectedVersion: number): Promise<void> {
    const current = await this.load(id);
    await super.save(id, { ...session, createdAt: current?.createdAt ?? session.createdAt }, expectedVersion);
  }
}

/** Keeps whatever it is given as a session. */
export class TakesAnySession extends MemorySessionStore {
  override create(id: string, session: StoredSession): Promise<void> {
    return super.create(id, { ...sessionOf(session), version: 1 });
  }
}

async function isConflict(saving: Promise<void>): Promise<boolean> {
  return saving.then(
    () => false,
    (error: unknown) => (error as { code?: unknown }).code === 'ERR_SESSION_CONFLICT',
  );
}

function textOf(id: unknown): string {
  return String(id) || 'nothing';
}

function sessionOf(session: StoredSession | null | undefined): StoredSession {
  const { data, createdAt, expiresAt } = session ?? ({} as Partial<StoredSession>);
  const plain = JSON.parse(JSON.stringify(data ?? {}, (_, value) => (typeof value === 'bigint' ? 0 : value))) as JsonObject;
  const now = Date.now();
  const dateOf = (date: unknown): Date => (date instanceof Date && !Number.isNaN(date.getTime()) ? date : new Date(now));
  return { version: 1, data: Array.isArray(plain) ? {} : plain, createdAt: dateOf(createdAt), expiresAt: dateOf(expiresAt) };
}
