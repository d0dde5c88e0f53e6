import { inspect } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import {
  type BaseMessage,
  ChannelServer,
  cookie,
  fromToken,
  type HasUser,
  identifyUser,
  subprotocol,
  type TicketGrant,
  type TicketStore,
  type TokenOptions,
  ticket,
  tokenIdOf,
  withAuthenticatedUser,
  withUserFrom,
  withUserFromToken,
} from '../../../entries/index.js';
import { MemoryTicketStore } from '../../../entries/memory.js';
import { type ConnectOptions, connectTo } from '../../../entries/testing.js';
import { container as globalContainer, TICKET_STORE, TOKEN_REPOSITORY, USER_REPOSITORY } from '../../../src/injection.js';
import { fakeRequest } from '../../../testing/fake-request.js';
import { alice, aliceKey, bob, bobKey, codesOf, expectProcessToLive, makeSite, thrownBy } from '../../support/site.js';
import { waysToFail } from '../../support/ways-to-fail.js';

expectProcessToLive();

const tokenId = tokenIdOf(aliceKey);

function makeTicketSite(others: Partial<TokenOptions> = {}) {
  const site = makeSite();
  const tickets = new MemoryTicketStore({ clock: site.clock });
  const consumed = vi.spyOn(tickets, 'consume').mock.calls;
  const { tokens, users, sessions } = site;
  const options = { tokens, users, sessions, tickets, from: [cookie('key'), ticket()], ...others };
  const handlers = { connect: withUserFromToken(options)(() => undefined), receive: () => undefined };
  return {
    ...site,
    tickets,
    consumed,
    handlers,
    issue: (grant: TicketGrant) => tickets.issue(grant, 30_000),
    connect: (given: ConnectOptions | string) =>
      connectTo(handlers, { ...site.options, ...(typeof given === 'string' ? { url: `/?ticket=${given}` } : given) }),
  };
}

describe('a ticket of a token', () => {
  it('gives the user of that token, and the channel is as if the token had come with the handshake', async () => {
    const site = makeTicketSite();
    const client = await site.connect(await site.issue({ userId: 'alice', tokenId }));
    expect(client.user).toBe(alice);
    expect(client.channel.tokenId).toBe(tokenId);
    expect(client.authentication).toEqual({ outcome: 'ok', source: 'token', carrier: 'ticket', tokenId });
    expect(Object.isFrozen(client.authentication)).toBe(true);
  });

  it('can be used once: the second time it is unknown, and refused where a user is required', async () => {
    const site = makeTicketSite();
    const handlers = {
      connect: withUserFromToken({ tokens: site.tokens, tickets: site.tickets, from: ticket() })(withAuthenticatedUser(() => undefined)),
    };
    const one = await site.issue({ userId: 'alice', tokenId });
    const url = `/chat?ticket=${one}`;
    expect((await connectTo(handlers, { ...site.options, url })).refusal).toBeUndefined();
    const second = await connectTo(handlers, { ...site.options, url });
    expect(second.refusal).toEqual({ status: 401 });
    expect(second.authentication).toEqual({ outcome: 'unknown', source: 'token', carrier: 'ticket' });
  });

  it('is refused where the token was revoked, has expired, lost its user or is of another one', async () => {
    const site = makeTicketSite();
    const expiring = await site.tokens.issue('alice', { ttlMs: 1_000 });
    const revoked = await site.tokens.issue('alice');
    const grants: TicketGrant[] = [
      { userId: 'alice', tokenId: revoked.id },
      { userId: 'alice', tokenId: expiring.id },
      { userId: 'alice', tokenId: tokenIdOf(bobKey) },
      { userId: 'alice', tokenId: tokenIdOf('never-issued-anywhere') },
      { userId: 'alice', tokenId },
    ];
    const issued = await Promise.all(grants.map(site.issue));
    await site.tokens.revoke(revoked.id);
    site.clock.setTime(site.clock.now() + 1_000);
    const outcomes = [];
    for (const each of issued.slice(0, -1)) outcomes.push((await site.connect(each)).authentication?.outcome);
    site.users.delete('alice');
    outcomes.push((await site.connect(issued.at(-1) as string)).authentication?.outcome);
    expect(outcomes).toEqual(['revoked', 'expired', 'revoked', 'unknown', 'inactive-user']);
    expect(site.errors).toEqual([]);
  });

  it('says when the token ends, and what it may be used for', async () => {
    const site = makeTicketSite();
    const { id, expiresAt } = await site.tokens.issue('alice', { ttlMs: 60_000, scopes: ['chat'] });
    const client = await site.connect(await site.issue({ userId: 'alice', tokenId: id, expiresAt: new Date(0) }));
    expect(client.authentication).toMatchObject({ outcome: 'ok', tokenId: id, expiresAt, scopes: ['chat'] });
  });

  it('goes over to the token that it was exchanged for meanwhile, and is no use of the old key', async () => {
    const site = makeTicketSite();
    const first = await site.tokens.issue('alice', { ttlMs: 60_000 });
    const one = await site.issue({ userId: 'alice', tokenId: first.id });
    const second = await site.tokens.rotate(first.id, { graceMs: 0 });
    const third = await site.tokens.rotate(second!.id, { graceMs: 0 });
    const client = await site.connect(one);
    expect(client.user).toBe(alice);
    expect(client.channel.tokenId).toBe(third!.id);
    expect((await site.tokens.findById(third!.id))?.revokedAt).toBeUndefined();
  });

  it('does not go over to a token that was revoked', async () => {
    const site = makeTicketSite();
    const first = await site.tokens.issue('alice');
    const one = await site.issue({ userId: 'alice', tokenId: first.id });
    const second = await site.tokens.rotate(first.id, { graceMs: 60_000 });
    await site.tokens.revoke(second!.id);
    expect((await site.connect(one)).authentication?.outcome).toBe('revoked');
  });

  it('does nothing where the session that it was given for has gone as well', async () => {
    const site = makeTicketSite();
    const httpSessionId = site.sessions.create('alice');
    const [early, late] = [
      await site.issue({ userId: 'alice', tokenId, httpSessionId }),
      await site.issue({ userId: 'alice', tokenId, httpSessionId }),
    ];
    expect((await site.connect(early)).user).toBe(alice);
    site.sessions.destroy(httpSessionId);
    expect((await site.connect(late)).authentication?.outcome).toBe('unknown');
  });
});

describe('a ticket without a token', () => {
  it('gives the user whom it names, found anew', async () => {
    const site = makeTicketSite();
    const [early, late] = [await site.issue({ userId: 'bob' }), await site.issue({ userId: 'bob' })];
    const client = await site.connect(early);
    expect(client.user).toBe(bob);
    expect(client.channel.tokenId).toBeUndefined();
    expect(client.authentication).toEqual({ outcome: 'ok', source: 'token', carrier: 'ticket' });
    site.users.delete('bob');
    expect((await site.connect(late)).authentication).toEqual({ outcome: 'inactive-user', source: 'token', carrier: 'ticket' });
  });

  it('gives the user of its HTTP session while that is there and theirs', async () => {
    const site = makeTicketSite();
    const [gone, good, ofBob, nobodys] = ['alice', 'alice', 'bob', undefined].map((userId) => site.sessions.create(userId)) as [
      string,
      string,
      string,
      string,
    ];
    const issued = await Promise.all([gone, good, ofBob, nobodys].map((httpSessionId) => site.issue({ userId: 'alice', httpSessionId })));
    site.sessions.destroy(gone);
    const outcomes = [];
    for (const each of issued) outcomes.push((await site.connect(each)).authentication?.outcome);
    expect(outcomes).toEqual(['unknown', 'ok', 'revoked', 'unknown']);
  });

  it('counts until the end that it was given', async () => {
    const site = makeTicketSite();
    const expiresAt = new Date(site.clock.now() + 1_000);
    const [early, late] = [await site.issue({ userId: 'alice', expiresAt }), await site.issue({ userId: 'alice', expiresAt })];
    expect((await site.connect(early)).authentication).toMatchObject({ outcome: 'ok', expiresAt });
    await site.clock.advance(1_000);
    expect((await site.connect(late)).authentication).toEqual({ outcome: 'expired', source: 'token', carrier: 'ticket' });
  });

  it('needs no repository of tokens where nothing but tickets is looked for', async () => {
    const { users, tickets, options, issue } = makeTicketSite();
    const connect = withUserFromToken({ users, tickets, from: ticket() })(() => undefined);
    const client = await connectTo({ connect }, { ...options, url: `/?ticket=${await issue({ userId: 'alice' })}` });
    expect(client.user).toBe(alice);
    const ofToken = await connectTo({ connect }, { ...options, url: `/?ticket=${await issue({ userId: 'alice', tokenId })}` });
    expect(ofToken.refusal).toEqual({ status: 503 });
  });
});

describe('a ticket that is no good', () => {
  it.each([
    ['unknown', 'a-ticket-that-was-never-issued'],
    ['malformed', 'x'],
    ['malformed', `${'a'.repeat(20)}&ticket=${'b'.repeat(20)}`],
  ])('is %s', async (outcome, presented) => {
    const site = makeTicketSite();
    const client = await site.connect(presented);
    expect(client.authentication).toEqual({ outcome, source: 'token', carrier: 'ticket' });
    expect(client.user.isAuthenticated).toBe(false);
    expect(site.errors).toEqual([]);
    expect(site.consumed).toHaveLength(outcome === 'malformed' ? 0 : 1);
  });

  it('is unknown once its time is over', async () => {
    const site = makeTicketSite();
    const one = await site.issue({ userId: 'alice', tokenId });
    await site.clock.advance(30_000);
    expect((await site.connect(one)).authentication?.outcome).toBe('unknown');
  });

  it.each<[string, TicketStore['consume']]>([
    ...waysToFail,
    ['gives what is no grant', async () => ({ user: 'alice' }) as never],
    ['gives the grant of nobody', async () => ({ userId: '' })],
    ['gives a grant with an invalid end', async () => ({ userId: 'alice', expiresAt: new Date(Number.NaN) })],
  ])('is "cannot tell" where the store %s: 503, and never anonymous', async (_what, consume) => {
    const site = makeTicketSite({ tickets: { issue: async () => '', consume } });
    const client = await site.connect('a-ticket-that-nobody-can-tell');
    expect(client.refusal).toEqual({ status: 503 });
    expect(codesOf(site.errors)).toEqual(['ERR_LOOKUP_FAILED']);
  });

  it('is "cannot tell" where its token cannot be looked up', async () => {
    const site = makeTicketSite();
    vi.spyOn(site.tokens, 'findByIds').mockRejectedValue(new Error('down'));
    const client = await site.connect(await site.issue({ userId: 'alice', tokenId }));
    expect(client.refusal).toEqual({ status: 503 });
  });
});

describe('in a handshake', () => {
  it('a ticket is used once, however many wrappers and sources look for it', async () => {
    const site = makeTicketSite();
    const others = makeSite();
    others.users.delete('alice');
    const { tickets, tokens } = site;
    const sources = [
      fromToken({ tokens: others.tokens, tickets, from: ticket() }),
      fromToken({ tokens, tickets, from: [ticket(), cookie('key')] }),
    ] as const;
    const withUser = withUserFrom(...sources);
    const seen: unknown[] = [];
    const handler = (message: BaseMessage & HasUser): void => void seen.push(message.user);
    const inner = withUser(handler);
    const connect = withUser((message) => inner(message));
    const client = await connectTo(
      { connect, receive: withUser(handler) },
      { ...site.options, url: `/?ticket=${await site.issue({ userId: 'alice', tokenId })}` },
    );
    await client.send('hello');
    expect(seen).toEqual([alice, alice]);
    expect(site.consumed).toHaveLength(1);
  });

  it('a key in a place before it leaves the ticket as it is', async () => {
    const site = makeTicketSite();
    const one = await site.issue({ userId: 'alice', tokenId });
    const client = await site.connect({ cookies: { key: bobKey }, url: `/?ticket=${one}` });
    expect(client.user).toBe(bob);
    expect(client.authentication?.carrier).toBe('cookie');
    expect(site.consumed).toEqual([]);
    expect((await site.connect(one)).user).toBe(alice);
  });

  it('a ticket may stand in a parameter of another name, or in another place', async () => {
    for (const [from, request] of [
      [ticket('once'), (one: string) => ({ url: `/?once=${one}` })],
      [ticket(subprotocol('ticket.')), (one: string) => ({ headers: { 'sec-websocket-protocol': `chat, ticket.${one}` } })],
      [ticket(cookie('ticket')), (one: string) => ({ cookies: { ticket: one } })],
    ] as const) {
      const site = makeTicketSite({ from });
      const client = await site.connect(request(await site.issue({ userId: 'alice', tokenId })));
      expect(client.authentication).toMatchObject({ outcome: 'ok', carrier: 'ticket' });
    }
  });

  it('a ticket is shown to nobody after it', async () => {
    const site = makeTicketSite();
    const one = await site.issue({ userId: 'alice', tokenId });
    const urls: unknown[] = [];
    const receive = (message: BaseMessage): void =>
      void urls.push(message.request.url, inspect(message, { depth: 9 }), JSON.stringify(message));
    const client = await connectTo({ ...site.handlers, receive }, { ...site.options, url: `/chat?room=1&ticket=${one}` });
    await client.send('hello');
    expect(urls[0]).toBe('/chat?room=1&ticket=***');
    expect(String(urls)).not.toContain(one);
  });

  it('identifyUser takes tickets as well', async () => {
    const { users, tickets, tokens, issue } = makeTicketSite();
    const url = `/?ticket=${await issue({ userId: 'alice', tokenId })}`;
    const sources = [fromToken({ users, tickets, tokens, from: ticket() })] as const;
    expect((await identifyUser(fakeRequest({ url }), { sources })).user).toBe(alice);
    expect((await identifyUser(fakeRequest({ url }), { sources })).authentication.outcome).toBe('unknown');
  });
});

describe('ticket()', () => {
  it.each([42, null, {}, true, ticket(), 'two words', '', 'a=b'])('refuses %o with a TypeError', (where) => {
    expect(() => ticket(where as never)).toThrow(TypeError);
  });

  it('finds its store in the container, and is an error of the server where there is none', () => {
    const { tokens, tickets, users } = makeTicketSite();
    const handlers = { connect: withUserFromToken({ from: ticket() })(() => undefined) };
    const container = globalContainer.createChildContainer();
    container.register(TOKEN_REPOSITORY, { useValue: tokens });
    expect(thrownBy(() => new ChannelServer(handlers, { container })).code).toBe('ERR_DEPENDENCY_MISSING');
    container.register(TICKET_STORE, { useValue: tickets });
    expect(() => new ChannelServer(handlers, { container })).not.toThrow();
    const ofUsers = globalContainer.createChildContainer();
    ofUsers.register(TICKET_STORE, { useValue: tickets });
    expect(thrownBy(() => new ChannelServer(handlers, { container: ofUsers })).code).toBe('ERR_DEPENDENCY_MISSING');
    ofUsers.register(USER_REPOSITORY, { useValue: users });
    expect(() => new ChannelServer(handlers, { container: ofUsers })).not.toThrow();
  });

  it('is what the options of tickets are for: without it they are a TypeError', () => {
    const { tokens, tickets, users, sessions } = makeTicketSite();
    for (const idle of [{ tickets }, { users }, { sessions }]) expect(() => withUserFromToken({ tokens, ...idle })).toThrow(TypeError);
  });
});
