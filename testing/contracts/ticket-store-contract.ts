import assert from 'node:assert/strict';
import type { TicketGrant, TicketStore } from '../../src/contracts/ticket-store.js';
import { isTokenKey } from '../../src/token-id.js';
import { assertRefuses, badIds, badTokenIds } from './bad-arguments.js';
import { assertNothingPolluted, assertSameTime, fromNow, hourMs, inheritedNames, uniqueId, uniqueKey } from './contract-samples.js';
import { type ContractCases, type ContractOptions, type ContractTest, contractTests } from './contract-test.js';

/** What `ticketStoreContract` needs: the store, and a way to move its clock. */
export interface TicketStoreFixture {
  readonly tickets: TicketStore;
  /** Moves the store's clock on by `ms` milliseconds. */
  readonly advance: (ms: number) => void | Promise<void>;
}

/** The tests of the contract {@link TicketStore}. */
export function ticketStoreContract(options: ContractOptions<TicketStoreFixture>): readonly ContractTest[] {
  return contractTests(options, cases);
}

const ttlMs = 30_000;

function sampleGrant(others: Partial<TicketGrant> = {}): TicketGrant {
  return { userId: uniqueId(), ...others };
}

/** Fails unless `grant` says what `expected` says, and nothing else. */
function assertIsGrant(grant: TicketGrant | undefined, { expiresAt, ...expected }: TicketGrant): void {
  assert.ok(grant, 'the ticket must be known');
  const { expiresAt: actual, ...others } = grant;
  assert.deepEqual({ ...others }, expected);
  if (expiresAt === undefined) assert.equal(actual, undefined);
  else assertSameTime(actual, expiresAt, 'expiresAt');
}

const cases: ContractCases<TicketStoreFixture> = {
  async 'consume gives what the ticket was issued for, in full'({ tickets }) {
    for (const grant of [
      sampleGrant(),
      sampleGrant({ tokenId: uniqueKey().id }),
      sampleGrant({ httpSessionId: 'a session: of the site', expiresAt: fromNow(hourMs) }),
      sampleGrant({ tokenId: uniqueKey().id, httpSessionId: uniqueId(), expiresAt: fromNow(hourMs) }),
    ]) {
      assertIsGrant(await tickets.consume(await tickets.issue(grant, ttlMs)), grant);
    }
  },
  async 'a ticket can be used once'({ tickets }) {
    const ticket = await tickets.issue(sampleGrant(), ttlMs);
    assert.ok(await tickets.consume(ticket));
    assert.equal(await tickets.consume(ticket), undefined);
    assert.equal(await tickets.consume(ticket), undefined);
  },
  async 'a user may have many tickets at once, and the use of one uses up no other'({ tickets }) {
    const userId = uniqueId();
    const grants = Array.from({ length: 12 }, (_, index) => sampleGrant({ userId, httpSessionId: `session ${index % 3}` }));
    const issued: string[] = [];
    for (const grant of grants) issued.push(await tickets.issue(grant, ttlMs));
    for (const [index, ticket] of issued.entries()) assertIsGrant(await tickets.consume(ticket), grants[index]!);
  },
  async 'of many that use one ticket at once exactly one succeeds'({ tickets }) {
    for (let round = 0; round < 4; round += 1) {
      const grant = sampleGrant();
      const ticket = await tickets.issue(grant, ttlMs);
      const found = await Promise.all(Array.from({ length: 50 }, () => tickets.consume(ticket)));
      const [first, ...others] = found.filter((each) => each !== undefined);
      assertIsGrant(first, grant);
      assert.equal(others.length, 0, 'more than one has used it');
    }
  },
  async 'a ticket is good until its time is over, and not from then on'({ tickets, advance }) {
    const [early, late, longer] = [
      await tickets.issue(sampleGrant(), ttlMs),
      await tickets.issue(sampleGrant(), ttlMs),
      await tickets.issue(sampleGrant(), 3 * ttlMs),
    ];
    await advance(ttlMs - 1);
    assert.ok(await tickets.consume(early));
    await advance(1);
    assert.equal(await tickets.consume(late), undefined);
    await advance(ttlMs);
    assert.ok(await tickets.consume(longer));
  },
  async 'a ticket that was refused in time stays refused, and harms no other'({ tickets, advance }) {
    const [over, good] = [await tickets.issue(sampleGrant(), 1), await tickets.issue(sampleGrant(), hourMs)];
    await advance(1);
    assert.equal(await tickets.consume(over), undefined);
    assert.equal(await tickets.consume(over), undefined);
    assert.ok(await tickets.consume(good));
  },
  async 'consume gives undefined for what is no ticket of this store'({ tickets }) {
    const ticket = await tickets.issue(sampleGrant(), ttlMs);
    const others = [uniqueId(), uniqueKey().key, 'x', '$ne', '*', '%', '.*', ticket.slice(1), ticket.slice(0, -1), `${ticket}0`];
    others.push(`${ticket} `, ` ${ticket}`, ...[ticket.toUpperCase(), ticket.toLowerCase()].filter((each) => each !== ticket));
    for (const other of [...others, ...inheritedNames]) assert.equal(await tickets.consume(other), undefined);
    assert.ok(await tickets.consume(ticket));
    assertNothingPolluted();
  },
  async 'tickets are strings that may stand in a URL, all of them different, of at least 128 bits'({ tickets }) {
    const grant = sampleGrant();
    const issued = await Promise.all(Array.from({ length: 512 }, () => tickets.issue(grant, ttlMs)));
    assert.equal(new Set(issued).size, issued.length, 'a ticket was issued twice');
    for (const ticket of issued) {
      assert.ok(isTokenKey(ticket), 'a ticket must be 16 to 512 characters of [A-Za-z0-9._~+/=-]');
      assert.ok(!ticket.includes(grant.userId), 'a ticket must not tell whose it is');
    }
    const bits = randomBitsOf(issued);
    assert.ok(bits > 127.5, `a ticket must have 128 random bits, these have about ${Math.floor(bits)}`);
  },
  async 'what was given and what is got are apart: a change of one does not reach the other'({ tickets }) {
    const expiresAt = fromNow(hourMs);
    const grant = { userId: uniqueId(), expiresAt };
    const ticket = await tickets.issue(grant, ttlMs);
    const expected = { userId: grant.userId, expiresAt: new Date(expiresAt) };
    grant.userId = uniqueId();
    expiresAt.setTime(0);
    assertIsGrant(await tickets.consume(ticket), expected);
  },
  async 'what is no grant is a TypeError'({ tickets }) {
    const good = sampleGrant({ tokenId: uniqueKey().id, httpSessionId: uniqueId(), expiresAt: fromNow(hourMs) });
    const grants = [
      ...[null, undefined, '', 'ada', 7, true, [good]],
      ...badIds(good.userId).map((userId) => ({ ...good, userId })),
      ...badTokenIds(uniqueKey().id).flatMap((tokenId) => (tokenId == null ? [] : [{ ...good, tokenId }])),
      ...badIds(uniqueId()).flatMap((httpSessionId) => (httpSessionId == null ? [] : [{ ...good, httpSessionId }])),
      ...[new Date(Number.NaN), '2030-01-01', 1_900_000_000_000, {}].map((expiresAt) => ({ ...good, expiresAt })),
    ];
    await assertRefuses((grant) => tickets.issue(grant, ttlMs), grants);
  },
  async 'what is no life of a ticket is a TypeError'({ tickets }) {
    const lives = [undefined, null, 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER, '30000', 30_000n, {}, []];
    await assertRefuses((life) => tickets.issue(sampleGrant(), life), lives);
  },
  async 'what is no string is a TypeError in consume, and uses nothing up'({ tickets }) {
    const ticket = await tickets.issue(sampleGrant(), ttlMs);
    await assertRefuses((each) => tickets.consume(each), badIds(ticket));
    assert.ok(await tickets.consume(ticket));
  },
};

/** How many bits strings of one length seem to have, going by how many different characters stand in each of their places. */
function randomBitsOf(strings: readonly string[]): number {
  const length = Math.min(...strings.map((each) => each.length));
  let bits = 0;
  for (let place = 0; place < length; place += 1) bits += Math.log2(new Set(strings.map((each) => each[place])).size);
  return bits;
}
