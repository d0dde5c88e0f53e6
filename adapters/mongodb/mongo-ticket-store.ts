import type { Collection, Db } from 'mongodb';
import { checkId } from '../../src/check-id.js';
import { checkedTime } from '../../src/checked-date.js';
import { aName, checkedOptions } from '../../src/checked-options.js';
import { checkedTicketGrant } from '../../src/checked-ticket-grant.js';
import type { TicketGrant, TicketStore } from '../../src/contracts/ticket-store.js';
import { checkTtl } from '../../src/time/time-spans.js';
import { timedRules } from '../../src/time/timed-options.js';
import { digestOf } from '../../src/token-id.js';
import { makeTokenKey } from '../../src/token-key.js';
import { checkDb } from './check-db.js';
import { Operations } from './operations.js';
import { byMajority, type MongoOptions } from './options.js';

/** Options of {@link MongoTicketStore}. */
export interface MongoTicketOptions extends MongoOptions {
  /** The collection that holds the tickets. @default 'tickets' */
  readonly collection?: string | undefined;
}

/** A ticket as the collection holds it. The ticket itself is nowhere. */
interface TicketDocument {
  /** The SHA-256 of the ticket. */
  readonly _id: string;
  /** What it stands for. */
  readonly grant: TicketGrant;
  /** Until when it can be used. */
  readonly expiresAt: Date;
}

const owner = 'MongoTicketStore';

/** Keeps tickets in MongoDB. Each operation is one command. Rejects with a `TimeoutError` after `timeoutMs`. */
export class MongoTicketStore implements TicketStore {
  /** After how many milliseconds an operation is given up. */
  readonly timeoutMs: number;
  readonly #tickets: Collection<TicketDocument>;
  readonly #operations: Operations;

  /** @throws {TypeError} when an option is out of its range, or the database is one that does not serve. */
  constructor(db: Db, options: MongoTicketOptions = {}) {
    const checked = checkedOptions(owner, options, { ...timedRules, collection: aName });
    this.#tickets = checkDb(owner, db).collection<TicketDocument>(checked.collection ?? 'tickets', { readPreference: 'primary' });
    this.#operations = new Operations(checked);
    this.timeoutMs = this.#operations.timeoutMs;
  }

  async issue(grant: TicketGrant, ttlMs: number): Promise<string> {
    const now = this.#operations.clock.now();
    const checked = checkedTicketGrant(`${owner}.issue`, grant);
    checkTtl(`${owner}.issue`, ttlMs, now);
    const ticket = makeTokenKey();
    const document: TicketDocument = { _id: digestOf(ticket), grant: checked, expiresAt: new Date(now + ttlMs) };
    await this.#operations.run('issue a ticket', () => this.#tickets.insertOne(document));
    return ticket;
  }

  async consume(ticket: string): Promise<TicketGrant | undefined> {
    checkId(`${owner}.consume`, 'ticket', ticket);
    // what a minority forgets again could be used once more
    const take = () => this.#tickets.findOneAndDelete({ _id: digestOf(ticket) }, byMajority);
    const found = await this.#operations.run('consume a ticket', take);
    if (found === null) return undefined;
    const end = checkedTime(`${owner}.consume`, 'the expiresAt of what is stored under this ticket', found.expiresAt);
    if (end <= this.#operations.clock.now()) return undefined;
    return checkedTicketGrant(`${owner}.consume`, found.grant);
  }
}
