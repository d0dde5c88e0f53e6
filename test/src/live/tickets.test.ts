import { describe, expect, it, vi } from 'vitest';
import {
  ChannelServer,
  cookie,
  type Revalidate,
  type TicketGrant,
  type TokenRepository,
  ticket,
  tokenIdOf,
  withUserFromToken,
} from '../../../entries/index.js';
import { MemoryTicketStore } from '../../../entries/memory.js';
import { connectTo, type TestClient } from '../../../entries/testing.js';
import { alice, aliceKey, expectProcessToLive, makeSite, type Site } from '../../support/site.js';
import { closeWithTest, expired, inactive, revoked, ScriptedFeed, sessionEnded } from './watched.js';

expectProcessToLive();

interface TicketSite extends Site {
  readonly server: ChannelServer;
  readonly feed: ScriptedFeed;
  open(grant: TicketGrant): Promise<TestClient>;
}

const tokenId = tokenIdOf(aliceKey);

/** A server whose clients come with tickets. Nobody tells it of what ends: it finds out by itself, or through `feed`. */
function watchTickets(revalidate: Revalidate = { everyMs: 10_000 }): TicketSite {
  const site = makeSite();
  const { tokens, users, sessions, options, clock } = site;
  vi.spyOn(users.revocations, 'tell').mockReturnValue(undefined);
  const tickets = new MemoryTicketStore({ clock });
  const feed = new ScriptedFeed();
  const untold: TokenRepository = { findById: (id) => tokens.findById(id), findByIds: (ids) => tokens.findByIds(ids) };
  const connect = withUserFromToken({ tokens: untold, users, sessions, tickets, from: [cookie('key'), ticket()], revalidate })(
    () => undefined,
  );
  const server = new ChannelServer({ connect, receive: () => undefined }, { ...options, revocations: feed });
  const open = async (grant: TicketGrant) => connectTo(server, { url: `/?ticket=${await tickets.issue(grant, 30_000)}` });
  closeWithTest(server, clock);
  return { ...site, server, feed, open };
}

describe('a channel that came by a ticket', () => {
  it('is found by its token, and by its HTTP session', async () => {
    const { server, sessions, open } = watchTickets();
    const httpSessionId = sessions.create('alice');
    const ofToken = await open({ userId: 'alice', tokenId });
    const ofSession = await open({ userId: 'alice', httpSessionId });
    const ofBoth = await open({ userId: 'alice', tokenId, httpSessionId });
    const { channels } = server;
    expect(channels.ofToken(tokenId)).toEqual([ofToken.channel, ofBoth.channel]);
    expect(channels.ofHttpSession(httpSessionId)).toEqual([ofSession.channel, ofBoth.channel]);
    expect(channels.ofUser('alice')).toHaveLength(3);
  });

  it('ends with what a revocation names: its token, its HTTP session or its user', async () => {
    const { server, sessions, feed, open } = watchTickets();
    const httpSessionId = sessions.create('alice');
    const clients = [
      await open({ userId: 'alice', tokenId }),
      await open({ userId: 'alice', httpSessionId }),
      await open({ userId: 'alice' }),
      await open({ userId: 'bob' }),
    ];
    feed.tell({ tokenId });
    await server.disconnectHttpSession(httpSessionId);
    feed.tell({ userId: 'alice' });
    expect(clients.map(({ closed }) => closed)).toEqual([revoked, sessionEnded, inactive, undefined]);
  });

  it('ends with a sweep that finds its token revoked, its session gone or its user deleted, and no other does', async () => {
    const { clock, tokens, sessions, users, open } = watchTickets();
    const [gone, good] = [sessions.create('alice'), sessions.create('alice')];
    const clients = [
      await open({ userId: 'alice', tokenId }),
      await open({ userId: 'alice', httpSessionId: gone }),
      await open({ userId: 'bob' }),
      await open({ userId: 'alice', httpSessionId: good }),
      await open({ userId: 'alice' }),
    ];
    await clock.advance(20_000);
    expect(clients.map(({ closed }) => closed)).toEqual(clients.map(() => undefined));
    await tokens.revoke(tokenId);
    sessions.destroy(gone);
    users.delete('bob');
    await clock.advance(10_000);
    expect(clients.map(({ closed }) => closed)).toEqual([revoked, sessionEnded, inactive, undefined, undefined]);
    expect(clients[3]?.user).toBe(alice);
  });

  it('is looked up before each of its messages where that is asked for', async () => {
    const { tokens, sessions, open } = watchTickets('message');
    const httpSessionId = sessions.create('alice');
    const clients = [await open({ userId: 'alice', httpSessionId }), await open({ userId: 'alice', tokenId })];
    for (const client of clients) await client.send('good');
    sessions.destroy(httpSessionId);
    await tokens.revoke(tokenId);
    for (const client of clients) await client.send('late');
    expect(clients.map(({ closed }) => closed)).toEqual([sessionEnded, revoked]);
  });

  it('goes on while its repositories fail, those of one kind or of all', async () => {
    const { clock, sessions, tokens, open, errors } = watchTickets();
    const httpSessionId = sessions.create('alice');
    const clients = [await open({ userId: 'alice', httpSessionId }), await open({ userId: 'alice', tokenId })];
    vi.spyOn(sessions, 'readByIds').mockRejectedValue(new Error('down'));
    await tokens.revoke(tokenId);
    await clock.advance(10_000);
    expect(clients.map(({ closed }) => closed)).toEqual([undefined, revoked]);
    expect(errors).not.toHaveLength(0);
  });

  it('ends when its token does, or at the end that its ticket was given', async () => {
    const { clock, tokens, open } = watchTickets('connect');
    const { id } = await tokens.issue('alice', { ttlMs: 60_000 });
    const clients = [
      await open({ userId: 'alice', tokenId: id }),
      await open({ userId: 'alice', expiresAt: new Date(clock.now() + 30_000) }),
    ];
    await clock.advance(31_000);
    expect(clients.map(({ closed }) => closed)).toEqual([undefined, expired]);
    await clock.advance(30_000);
    expect(clients[0]?.closed).toEqual(expired);
  });

  it('follows its token: one that is extended goes on, one that is rotated goes over', async () => {
    const { clock, tokens, open } = watchTickets();
    const [first, other] = [await tokens.issue('alice', { ttlMs: 60_000 }), await tokens.issue('alice', { ttlMs: 60_000 })];
    const clients = [await open({ userId: 'alice', tokenId: first.id }), await open({ userId: 'alice', tokenId: other.id })];
    await tokens.extend(first.id, { ttlMs: 600_000 });
    const next = await tokens.rotate(other.id, { graceMs: 1_000, ttlMs: 600_000 });
    await clock.advance(120_000);
    expect(clients.map(({ closed }) => closed)).toEqual([undefined, undefined]);
    expect(clients[1]?.channel.tokenId).toBe(next?.id);
  });

  it('can go over to a token that its client presents, and lives by that from then on', async () => {
    const { clock, sessions, server, open } = watchTickets();
    const httpSessionId = sessions.create('alice');
    const client = await open({ userId: 'alice', httpSessionId });
    expect(await client.channel.reauthenticate(aliceKey)).toBe(true);
    expect(server.channels.ofHttpSession(httpSessionId)).toEqual([]);
    sessions.destroy(httpSessionId);
    await clock.advance(20_000);
    expect(client.closed).toBeUndefined();
    await server.disconnectToken(tokenId);
    expect(client.closed).toEqual(revoked);
  });

  it('is refused where its token is revoked while it is looked up', async () => {
    const { tokens, feed, open } = watchTickets();
    const findByIds = tokens.findByIds.bind(tokens);
    vi.spyOn(tokens, 'findByIds').mockImplementation(async (ids) => {
      const found = await findByIds(ids);
      feed.tell({ tokenId });
      return found;
    });
    expect((await open({ userId: 'alice', tokenId })).refusal).toEqual({ status: 401 });
  });
});
