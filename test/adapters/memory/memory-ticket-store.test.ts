import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { MemoryTicketStore } from '../../../entries/memory.js';
import { TestClock } from '../../../entries/testing.js';

describe('MemoryTicketStore', () => {
  it('keeps so many tickets at most: where there would be more, the oldest goes', async () => {
    const tickets = new MemoryTicketStore({ maxTickets: 2 });
    const issued = [];
    for (const userId of ['ada', 'bob', 'cyd']) issued.push(await tickets.issue({ userId }, 60_000));
    expect(tickets.size).toBe(2);
    const found = await Promise.all(issued.map((ticket) => tickets.consume(ticket)));
    expect(found).toEqual([undefined, { userId: 'bob' }, { userId: 'cyd' }]);
    expect(tickets.size).toBe(0);
  });

  it('gives up those that nobody used before it gives up one that is good', async () => {
    const clock = new TestClock();
    const tickets = new MemoryTicketStore({ clock, maxTickets: 2 });
    const long = await tickets.issue({ userId: 'ada' }, 60_000);
    await tickets.issue({ userId: 'bob' }, 1_000);
    await clock.advance(1_000);
    await tickets.issue({ userId: 'cyd' }, 1_000);
    expect(await tickets.consume(long)).toEqual({ userId: 'ada' });
  });

  it('forgets those that nobody used while others are issued', async () => {
    const clock = new TestClock();
    const tickets = new MemoryTicketStore({ clock });
    for (let count = 0; count < 1_000; count += 1) await tickets.issue({ userId: 'ada' }, 1_000);
    await clock.advance(1_000);
    for (let count = 0; count < 20; count += 1) await tickets.issue({ userId: 'bob' }, 1_000);
    expect(tickets.size).toBeLessThanOrEqual(20);
  });

  it('shows no ticket, and no user, to what prints it', async () => {
    const tickets = new MemoryTicketStore();
    const ticket = await tickets.issue({ userId: 'ada-lovelace' }, 1_000);
    const shown = inspect(tickets, { depth: 9, showHidden: true }) + JSON.stringify(tickets);
    expect(shown).not.toContain(ticket);
    expect(shown).not.toContain('ada-lovelace');
  });

  it.each([{ maxTickets: 0 }, { maxTickets: 1.5 }, { clock: {} }, { ttlMs: 1 }, null, []])(
    'refuses the options %j with a TypeError',
    (options) => {
      expect(() => new MemoryTicketStore(options as never)).toThrow(TypeError);
    },
  );
});
