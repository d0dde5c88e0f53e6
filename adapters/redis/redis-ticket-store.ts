import { checkId } from '../../src/check-id.js';
import { checkedOptions } from '../../src/checked-options.js';
import { checkedTicketGrant } from '../../src/checked-ticket-grant.js';
import type { TicketGrant, TicketStore } from '../../src/contracts/ticket-store.js';
import { parsedObject } from '../../src/parsed-object.js';
import { checkTtl } from '../../src/time/time-spans.js';
import { digestOf } from '../../src/token-id.js';
import { makeTokenKey } from '../../src/token-key.js';
import { graceMs } from './grace-ms.js';
import { Operations, textOf } from './operations.js';
import { type RedisOptions, redisRules } from './options.js';
import type { RedisClient } from './redis-client.js';

/** Options of {@link RedisTicketStore}. */
export type RedisTicketOptions = RedisOptions;

const owner = 'RedisTicketStore';

/**
 * Keeps tickets in Redis under their digests; a ticket itself is stored nowhere. Each operation is one command, and `GETDEL` gives a ticket
 * to one caller only (Redis 6.2 and newer). Rejects with a `TimeoutError` after `timeoutMs`.
 */
export class RedisTicketStore implements TicketStore {
  /** After how many milliseconds an operation is given up. */
  readonly timeoutMs: number;
  readonly #operations: Operations;

  /** @throws {TypeError} when `client` is none of `ioredis` or `redis`, or an option is out of its range. */
  constructor(client: RedisClient, options: RedisTicketOptions = {}) {
    this.#operations = new Operations(owner, client, checkedOptions(owner, options, redisRules));
    this.timeoutMs = this.#operations.timeoutMs;
  }

  async issue(grant: TicketGrant, ttlMs: number): Promise<string> {
    const now = this.#operations.clock.now();
    const checked = checkedTicketGrant(`${owner}.issue`, grant);
    checkTtl(`${owner}.issue`, ttlMs, now);
    const ticket = makeTokenKey();
    const key = this.#keyOf(ticket);
    const value = JSON.stringify({ until: now + ttlMs, grant: { ...checked, expiresAt: checked.expiresAt?.getTime() } });
    await this.#operations.command('issue a ticket', key, ['SET', key, value, 'PX', String(ttlMs + graceMs)]);
    return ticket;
  }

  async consume(ticket: string): Promise<TicketGrant | undefined> {
    checkId(`${owner}.consume`, 'ticket', ticket);
    const key = this.#keyOf(ticket);
    const value = textOf(await this.#operations.command('consume a ticket', key, ['GETDEL', key]));
    if (value === undefined) return undefined;
    const { until, grant } = read(value);
    return until <= this.#operations.clock.now() ? undefined : checkedTicketGrant(`${owner}.consume`, grant);
  }

  #keyOf(ticket: string): string {
    return `${this.#operations.prefix}ticket:${digestOf(ticket)}`;
  }
}

/** @throws {TypeError} when it is nothing that a ticket store has written. */
function read(value: string): { readonly until: number; readonly grant: object } {
  const { until, grant } = parsedObject(value) ?? {};
  if (typeof until !== 'number' || typeof grant !== 'object' || grant === null) {
    throw new TypeError(`${owner}.consume: what is stored under this ticket is no grant`);
  }
  const stored: object = grant;
  const expiresAt: unknown = Reflect.get(stored, 'expiresAt');
  return { until, grant: { ...stored, ...(expiresAt != null && { expiresAt: new Date(expiresAt as number) }) } };
}
