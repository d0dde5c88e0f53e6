import { setImmediate as nextTurn } from 'node:timers/promises';
import { MemoryTicketStore, type MemoryTicketStoreOptions } from '../../entries/memory.js';
import { TestClock } from '../../entries/testing.js';
import type { TicketGrant } from '../../src/contracts/ticket-store.js';

/** What would let the wrong ones in, or one twice. */
export const ticketStores = {
  /** Looks first, and removes later: whoever looks meanwhile finds it too. */
  LooksThenRemoves: class extends MemoryTicketStore {
    readonly #looking = new Map<string, Promise<TicketGrant | undefined>>();
    override async consume(ticket: string): Promise<TicketGrant | undefined> {
      const found = this.#looking.get(ticket) ?? super.consume(ticket);
      this.#looking.set(ticket, found);
      try {
        const [grant] = await Promise.all([found, nextTurn()]);
        return grant;
      } finally {
        this.#looking.delete(ticket);
      }
    }
  },
  /** Has a clock that stands still. */
  NeverExpires: class extends MemoryTicketStore {
    constructor(options: MemoryTicketStoreOptions) {
      super({ ...options, clock: new TestClock(Date.now()) });
    }
  },
  /** Forgets nothing. */
  KeepsWhatWasUsed: class extends MemoryTicketStore {
    readonly #used = new Map<string, TicketGrant>();
    override async consume(ticket: string): Promise<TicketGrant | undefined> {
      const grant = (await super.consume(ticket)) ?? this.#used.get(ticket);
      if (grant !== undefined) this.#used.set(ticket, grant);
      return grant;
    }
  },
  /** Keeps less than it was given: a channel would outlive its log-out. */
  ForgetsTheSession: class extends MemoryTicketStore {
    override async consume(ticket: string): Promise<TicketGrant | undefined> {
      const grant = await super.consume(ticket);
      if (grant === undefined) return undefined;
      const { httpSessionId: _forgotten, ...others } = grant;
      return others;
    }
  },
  /** Hands what is no ticket on, as a query that finds nothing. */
  TakesAnyTicket: class extends MemoryTicketStore {
    override async consume(ticket: string): Promise<TicketGrant | undefined> {
      return typeof ticket === 'string' && ticket !== '' ? super.consume(ticket) : undefined;
    }
  },
  /** Lets another ticket of the same user take the place of the last one. */
  KeepsOnePerUser: class extends MemoryTicketStore {
    readonly #last = new Map<string, string>();
    override async issue(grant: TicketGrant, ttlMs: number): Promise<string> {
      const ticket = await super.issue(grant, ttlMs);
      const last = this.#last.get(grant.userId);
      if (last !== undefined) await super.consume(last);
      this.#last.set(grant.userId, ticket);
      return ticket;
    }
  },
  /** Compares as the database does by default. */
  IgnoresCase: class extends MemoryTicketStore {
    readonly #issued = new Map<string, string>();
    override async issue(grant: TicketGrant, ttlMs: number): Promise<string> {
      const ticket = await super.issue(grant, ttlMs);
      this.#issued.set(ticket.toLowerCase(), ticket);
      return ticket;
    }
    override async consume(ticket: string): Promise<TicketGrant | undefined> {
      return super.consume((typeof ticket === 'string' && this.#issued.get(ticket.toLowerCase())) || ticket);
    }
  },
  /** Makes tickets that can be guessed. */
  CountsUp: class extends MemoryTicketStore {
    readonly #issued = new Map<string, string>();
    override async issue(grant: TicketGrant, ttlMs: number): Promise<string> {
      const hidden = await super.issue(grant, ttlMs);
      const ticket = String(this.#issued.size).padStart(40, '0');
      this.#issued.set(ticket, hidden);
      return ticket;
    }
    override async consume(ticket: string): Promise<TicketGrant | undefined> {
      return super.consume(this.#issued.get(ticket) ?? ticket);
    }
  },
};
