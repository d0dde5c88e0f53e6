import { checkId } from '../../src/check-id.js';
import { anInteger, aWallClock, checkedOptions, type Rules } from '../../src/checked-options.js';
import { checkedTicketGrant } from '../../src/checked-ticket-grant.js';
import type { Clock } from '../../src/contracts/clock.js';
import type { TicketGrant, TicketStore } from '../../src/contracts/ticket-store.js';
import { SweepPace } from '../../src/sweep-pace.js';
import { checkTtl } from '../../src/time/time-spans.js';
import { digestOf } from '../../src/token-id.js';
import { makeTokenKey } from '../../src/token-key.js';

/** Options of {@link MemoryTicketStore}. */
export interface MemoryTicketStoreOptions {
  /** How many tickets are kept at most, an integer of at least 1; past it, the oldest goes. @default 100,000 */
  readonly maxTickets?: number | undefined;
  /** Tells the time that expiry is compared with. @default the machine's clock */
  readonly clock?: Pick<Clock, 'now'> | undefined;
}

const rules: Rules<MemoryTicketStoreOptions> = { maxTickets: anInteger(1), clock: aWallClock };

interface MemoryTicket {
  readonly grant: TicketGrant;
  readonly usableUntil: number;
}

/** So many tickets may each issue since the last sweep look at. */
const stepsPerIssue = 64;

const owner = 'MemoryTicketStore';

/**
 * Keeps tickets in this process: for servers of one process, and for tests. It keeps digests, never tickets.
 *
 * It has no timers. An expired ticket is refused at once, and removed while others are issued.
 */
export class MemoryTicketStore implements TicketStore {
  readonly #maxTickets: number;
  readonly #clock: Pick<Clock, 'now'>;
  /** By their digests, the oldest first. */
  readonly #tickets = new Map<string, MemoryTicket>();
  readonly #pace = new SweepPace();

  /** @throws {TypeError} when an option is out of its range. */
  // with a default, so that a container makes it without being told how
  constructor(options: MemoryTicketStoreOptions = {}) {
    const { maxTickets = 100_000, clock = Date } = checkedOptions(owner, options, rules);
    this.#maxTickets = maxTickets;
    this.#clock = clock;
  }

  /** How many tickets are kept, including expired ones that were not removed yet. */
  get size(): number {
    return this.#tickets.size;
  }

  async issue(grant: TicketGrant, ttlMs: number): Promise<string> {
    const now = this.#clock.now();
    const checked = checkedTicketGrant(`${owner}.issue`, grant);
    checkTtl(`${owner}.issue`, ttlMs, now);
    this.#makeRoom(now);
    const ticket = makeTokenKey();
    this.#tickets.set(digestOf(ticket), { grant: checked, usableUntil: now + ttlMs });
    return ticket;
  }

  async consume(ticket: string): Promise<TicketGrant | undefined> {
    checkId(`${owner}.consume`, 'ticket', ticket);
    const digest = digestOf(ticket);
    const found = this.#tickets.get(digest);
    this.#tickets.delete(digest);
    return found !== undefined && found.usableUntil > this.#clock.now() ? found.grant : undefined;
  }

  #makeRoom(now: number): void {
    this.#pace.added();
    if (this.#pace.isDue(this.#tickets.size, stepsPerIssue)) {
      for (const [digest, { usableUntil }] of this.#tickets) if (usableUntil <= now) this.#tickets.delete(digest);
    }
    const [oldest] = this.#tickets.size < this.#maxTickets ? [] : this.#tickets.keys();
    if (oldest !== undefined) this.#tickets.delete(oldest);
  }
}
