import { describe, expect, it, vi } from 'vitest';
import {
  ChannelServer,
  fromHttpSession,
  container as globalContainer,
  HTTP_SESSION_READER,
  TICKET_STORE,
  type TicketHandlerOptions,
  ticket,
  ticketHandler,
  tokenIdOf,
  USER_REPOSITORY,
  withUserFromToken,
} from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { aliceKey, codesOf, expectProcessToLive, thrownBy } from '../../support/site.js';
import { makeExchangeSite, serveOverHttp } from './exchanging.js';

expectProcessToLive();

async function giving(options: TicketHandlerOptions = {}) {
  const site = makeExchangeSite();
  return { site, ...(await serveOverHttp(ticketHandler(site.channels, { tickets: site.tickets, ...options }))) };
}

describe('ticketHandler', () => {
  it('gives a ticket for the token of the request, whose channel is as if that token had come', async () => {
    const { site, ask } = await giving();
    const { status, json, headers, cookies } = await ask({ headers: { authorization: `Bearer ${aliceKey}` }, origin: null });
    expect(status).toBe(200);
    expect([headers.get('cache-control'), cookies]).toEqual(['no-store', []]);
    const { ticket: one, expiresInMs } = json as { ticket: string; expiresInMs: number };
    expect(expiresInMs).toBe(30_000);
    const client = await connectTo(site.channels, { url: `/?ticket=${one}` });
    expect(client.channel.tokenId).toBe(tokenIdOf(aliceKey));
    await site.tokens.revoke(tokenIdOf(aliceKey));
    expect(client.closed).toEqual({ code: 3000, reason: 'token revoked' });
    expect((await connectTo(site.channels, { url: `/?ticket=${one}` })).authentication?.outcome).toBe('unknown');
  });

  it('gives a ticket for the log-in of the request, whose channel ends with the session', async () => {
    const { site, ask } = await giving({ ttlMs: 5_000 });
    const cookie = site.logIn('bob');
    const { json } = await ask({ cookie });
    expect(json).toEqual({ ticket: expect.any(String), expiresInMs: 5_000 });
    const client = await connectTo(site.channels, { url: `/?ticket=${(json as { ticket: string }).ticket}` });
    expect(client.user.id).toBe('bob');
    await site.channels.disconnectHttpSession(cookie.slice('sessionid='.length));
    expect(client.closed).toEqual({ code: 3000, reason: 'session ended' });
  });

  it('gives none to nobody, nor for a ticket', async () => {
    const { site, ask } = await giving();
    const one = await site.tickets.issue({ userId: 'alice' }, 30_000);
    for (const options of [{}, { cookie: 'key=a-key-that-nobody-has' }, { path: `/?ticket=${one}` }]) {
      expect(await ask(options)).toMatchObject({ status: 401, json: { error: 'authentication_required' } });
    }
    expect(site.tickets.size).toBe(1);
  });

  it('asks the HTTP session where the server takes tickets alone, or whatever sources it is given', async () => {
    const { tickets, sessions, users, options, logIn } = makeExchangeSite();
    const container = globalContainer.createChildContainer();
    const handlers = { connect: withUserFromToken({ from: ticket(), users, tickets })(() => undefined) };
    container.register(TICKET_STORE, { useValue: tickets });
    const bare = new ChannelServer(handlers, { ...options, container });
    expect(thrownBy(() => ticketHandler(bare)).code).toBe('ERR_DEPENDENCY_MISSING');
    const given = await serveOverHttp(ticketHandler(bare, { sources: [fromHttpSession({ sessions, users })] }));
    expect((await given.ask({ cookie: logIn('alice') })).status).toBe(200);
    container.register(HTTP_SESSION_READER, { useValue: sessions });
    container.register(USER_REPOSITORY, { useValue: users });
    const registered = await serveOverHttp(ticketHandler(new ChannelServer(handlers, { ...options, container })));
    expect((await registered.ask({ cookie: logIn('alice') })).status).toBe(200);
  });

  it('answers 503 where the store fails', async () => {
    const { site, ask } = await giving();
    vi.spyOn(site.tickets, 'issue').mockRejectedValue(new Error('down'));
    expect((await ask({ cookie: site.logIn('alice') })).status).toBe(503);
    expect(codesOf(site.errors)).toEqual(['ERR_LOOKUP_FAILED']);
  });

  it.each([{ ttlMs: 0 }, { ttlMs: 600_001 }, { tickets: {} }, { sources: [] }, { cookie: false }])('refuses the options %j', (options) => {
    const { channels, tickets } = makeExchangeSite();
    expect(() => ticketHandler(channels, { tickets, ...(options as object) })).toThrow(TypeError);
  });
});
