import { checkedIds, checkId } from '../../src/check-id.js';
import { checkedTime } from '../../src/checked-date.js';
import { checkedOptions } from '../../src/checked-options.js';
import type { SessionStore, StoredSession } from '../../src/contracts/session-store.js';
import { ChannelError } from '../../src/errors.js';
import { parsedObject } from '../../src/parsed-object.js';
import { checkExpectedVersion, checkedRow, type SessionRow } from '../../src/session/check-stored-session.js';
import { slicesOf } from '../../src/slices-of.js';
import { isReplyOf } from './error-reply.js';
import { graceMs } from './grace-ms.js';
import { Operations, textOf } from './operations.js';
import { type RedisOptions, redisRules } from './options.js';
import type { RedisClient } from './redis-client.js';
import type { RedisScript } from './redis-script.js';
import { createScript, newMark, outcomes, saveScript, sessionFields, touchScript } from './session-scripts.js';

/** Options of {@link RedisSessionStore}. */
export type RedisSessionOptions = RedisOptions;

const owner = 'RedisSessionStore';

/** How many records are touched at a time: their commands leave together. */
const touchedAtOnce = 500;

/**
 * Keeps channel sessions in Redis, each in one hash, so that a cluster works as well. Each operation is one command; compare-and-set is one
 * script. Rejects with a `TimeoutError` after `timeoutMs`.
 */
export class RedisSessionStore implements SessionStore {
  /** After how many milliseconds an operation is given up. */
  readonly timeoutMs: number;
  readonly #operations: Operations;

  /** @throws {TypeError} when `client` is none of `ioredis` or `redis`, or an option is out of its range. */
  constructor(client: RedisClient, options: RedisSessionOptions = {}) {
    this.#operations = new Operations(owner, client, checkedOptions(owner, options, redisRules));
    this.timeoutMs = this.#operations.timeoutMs;
  }

  /** As the contract says. An unreadable record gets an impossible version, so that the core reports it and treats it as absent. */
  async load(id: string): Promise<StoredSession | undefined> {
    checkId(`${owner}.load`, 'id', id);
    const session = await this.#read(id);
    return session !== undefined && session.expiresAt.getTime() <= this.#operations.clock.now() ? undefined : session;
  }

  async create(id: string, session: StoredSession): Promise<void> {
    checkId(`${owner}.create`, 'id', id);
    const args = this.#argsOf(checkedRow(`${owner}.create`, session));
    if ((await this.#run('create a session', id, createScript, [...args, ''])) === outcomes.written) return;
    const unreadable = await this.#unreadableData(id);
    if (unreadable !== undefined && (await this.#run('create a session', id, createScript, [...args, unreadable])) === outcomes.written)
      return;
    throw new ChannelError('ERR_SESSION_CONFLICT', 'There is a session of this id already.');
  }

  async save(id: string, session: StoredSession, expectedVersion: number): Promise<void> {
    checkId(`${owner}.save`, 'id', id);
    checkExpectedVersion(`${owner}.save`, expectedVersion);
    const args = this.#argsOf(checkedRow(`${owner}.save`, session));
    const outcome = await this.#run('save a session', id, saveScript, [...args, String(expectedVersion)]);
    if (outcome === outcomes.written) return;
    if (outcome === outcomes.conflict) throw new ChannelError('ERR_SESSION_CONFLICT', 'The session was saved by someone else meanwhile.');
    throw new ChannelError('ERR_SESSION_GONE', 'The session was destroyed, or it has expired.');
  }

  async touch(id: string, expiresAt: Date): Promise<void> {
    checkId(`${owner}.touch`, 'id', id);
    await this.#touch([id], checkedTime(`${owner}.touch`, 'expiresAt', expiresAt));
  }

  async touchMany(ids: readonly string[], expiresAt: Date): Promise<void> {
    const checked = checkedIds(`${owner}.touchMany`, ids);
    const time = checkedTime(`${owner}.touchMany`, 'expiresAt', expiresAt);
    for (const some of slicesOf(checked, touchedAtOnce)) await this.#touch(some, time);
  }

  async destroy(id: string): Promise<void> {
    checkId(`${owner}.destroy`, 'id', id);
    const key = this.#keyOf(id);
    await this.#operations.command('destroy a session', key, ['DEL', key]);
  }

  async #touch(ids: readonly string[], expiresAt: number): Promise<void> {
    const now = this.#operations.clock.now();
    const args = [now, expiresAt, keepMs(expiresAt, now)].map(String);
    await Promise.all(ids.map((id) => this.#run('touch sessions', id, touchScript, args)));
  }

  async #read(id: string): Promise<StoredSession | undefined> {
    const reply = await this.#fields(id);
    if (reply.every((field) => field === undefined)) return undefined;
    const [version, text, createdAt, expiresAt] = reply;
    const data = parsedObject(text);
    return {
      ...(data === undefined ? { version: Number.NaN, data: {} } : { version: integer(version), data }),
      createdAt: new Date(integer(createdAt)),
      expiresAt: new Date(integer(expiresAt)),
    };
  }

  /** What stands in the fields of a record; something that is no hash has one that nobody can read. */
  async #fields(id: string): Promise<(string | undefined)[]> {
    const key = this.#keyOf(id);
    try {
      const reply = await this.#operations.command('load a session', key, ['HMGET', key, ...sessionFields]);
      return Array.isArray(reply) ? reply.map(textOf) : [];
    } catch (error) {
      if (isReplyOf(error, 'WRONGTYPE')) return ['', undefined, undefined, undefined];
      throw error;
    }
  }

  /** The data of a record that looks well to the server, and is no JSON. */
  async #unreadableData(id: string): Promise<string | undefined> {
    const [, data] = await this.#fields(id);
    return data !== undefined && parsedObject(data) === undefined ? data : undefined;
  }

  #argsOf({ version, data, createdAt, expiresAt }: SessionRow): string[] {
    const now = this.#operations.clock.now();
    const numbers = [createdAt, expiresAt, keepMs(expiresAt, now)].map(String);
    return [String(now), String(version), JSON.stringify(data), ...numbers, newMark()];
  }

  async #run(what: string, id: string, script: RedisScript, args: readonly string[]): Promise<number> {
    return Number(await this.#operations.script(what, this.#keyOf(id), script, args));
  }

  #keyOf(id: string): string {
    return `${this.#operations.prefix}session:${id}`;
  }
}

/** For how many milliseconds from now on the server keeps a record. */
function keepMs(expiresAt: number, now: number): number {
  return Math.ceil(Math.max(0, expiresAt - now)) + graceMs;
}

function integer(text: string | undefined): number {
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
}
