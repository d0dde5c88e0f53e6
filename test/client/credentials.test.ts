import { describe, expect, it } from 'vitest';
import { deferred } from '../support/deferred.js';
import { expectProcessToLive } from '../support/site.js';
import { FakeNodeSocket, makeClient } from './fake-socket.js';

expectProcessToLive();

const expired = [3000, 'token expired'] as const;
const answer = (status: number, headers = {}): Response => new Response(null, { status, headers });
const never = (): Promise<never> => new Promise(() => undefined);

describe('renew', () => {
  it.each(['token expired', 'authentication required'])('is called after 3000 %s, and the client returns at once', async (reason) => {
    const closings: unknown[] = [];
    const { opened, clock, sockets, states } = makeClient({ renew: (closing) => closings.push(closing) });
    (await opened()).end(3000, reason);
    await clock.advance(0);
    expect(closings).toEqual([{ code: 3000, reason }]);
    expect(sockets).toHaveLength(2);
    expect(states.map(({ name }) => name)).toEqual(['connecting', 'open', 'renewing', 'connecting']);
  });

  it('is called after a handshake that was refused with 401, where that can be seen', async () => {
    const renewals: number[] = [];
    const { newest, sockets } = makeClient({ renew: () => void renewals.push(1) }, FakeNodeSocket);
    (await newest()).refuse(401);
    await newest();
    expect([renewals.length, sockets.length]).toEqual([1, 2]);
  });

  it('is called once after handshakes that failed without a word, as a page sees refused ones', async () => {
    const renewals: number[] = [];
    const { client, newest, clock } = makeClient({ renew: () => void renewals.push(1), connectTimeoutMs: 1_000 });
    const counts: number[] = [];
    for (let failure = 0; failure < 4; failure += 1) {
      (await newest()).end();
      await clock.advance(0);
      counts.push(renewals.length);
      if (client.state.name === 'waiting') await clock.advance(client.state.inMs);
    }
    expect(counts).toEqual([0, 1, 1, 1]);
    expect(client.state.name).not.toBe('stopped');
  });

  it.each([
    ['after the handshake was answered', true],
    ['before', false],
  ])('is not called again where the server refuses what it got, %s: somebody must log in', async (_, isAnswered) => {
    const renewals: number[] = [];
    const { client, opened, newest, clock } = makeClient({ renew: () => void renewals.push(1) }, FakeNodeSocket);
    for (let refusal = 0; refusal < 2; refusal += 1) {
      if (isAnswered) (await opened()).end(3000, 'authentication required');
      else (await newest()).refuse(401);
      await clock.advance(0);
    }
    expect(renewals.length).toBe(1);
    expect(client.state).toMatchObject({ name: 'stopped', why: 'log-in' });
  });

  it('is called again for the next expiry, after a good connection or a while', async () => {
    const renewals: number[] = [];
    const { opened, clock } = makeClient({ renew: () => void renewals.push(1), pingMs: 0, stableMs: 10_000 });
    (await opened()).end(...expired);
    const second = await opened();
    await clock.advance(10_000);
    second.end(...expired);
    const third = await opened();
    third.end();
    await clock.advance(60_000);
    (await opened()).end(...expired);
    await clock.advance(0);
    expect(renewals.length).toBe(3);
  });

  it('stops the client where it is answered with 401, thrown or returned', async () => {
    const throwing = makeClient({ renew: () => Promise.reject(answer(401)) });
    const returning = makeClient({ renew: () => Promise.resolve(answer(401)) });
    for (const { client, opened, clock } of [throwing, returning]) {
      (await opened()).end(...expired);
      await clock.advance(0);
      expect(client.state).toMatchObject({ name: 'stopped', why: 'log-in', closing: { code: 3000 }, error: { status: 401 } });
    }
  });

  it.each([
    ['the network fails', () => Promise.reject(new TypeError('fetch failed')), 500],
    ['it throws at once', () => raise(new Error('mistake')), 500],
    ['it throws nothing', () => raise(undefined), 500],
    ['the server is busy', () => Promise.resolve(answer(503, { 'retry-after': '7' })), 7_500],
  ])('is tried again after a pause where %s', async (_, renew, inMs) => {
    const { client, opened, clock, sockets } = makeClient({ renew });
    (await opened()).end(...expired);
    await clock.advance(0);
    expect(client.state).toMatchObject({ name: 'waiting', inMs, closing: { code: 3000 } });
    await clock.advance(inMs);
    expect(sockets).toHaveLength(2);
  });

  it('is not waited for longer than an attempt may take, and is told', async () => {
    let given: AbortSignal | undefined;
    const renew = (_: unknown, signal: AbortSignal): Promise<never> => {
      given = signal;
      return never();
    };
    const { client, opened, clock } = makeClient({ renew, connectTimeoutMs: 3_000 });
    (await opened()).end(...expired);
    await clock.advance(2_999);
    expect([client.state.name, given?.aborted]).toEqual(['renewing', false]);
    await clock.advance(1);
    expect([client.state.name, given?.aborted]).toEqual(['waiting', true]);
  });

  it('that ends late, well or badly, changes nothing', async () => {
    for (const end of [(): void => undefined, (): void => raise(new Error('late'))]) {
      const gate = deferred();
      const { client, opened, clock, sockets } = makeClient({ renew: () => gate.promise.then(end) });
      (await opened()).end(...expired);
      client.close();
      gate.resolve();
      await clock.advance(0);
      expect([client.state.name, sockets.length]).toEqual(['stopped', 1]);
    }
  });
});

describe('ticket', () => {
  it('is got anew for each attempt, and travels in the query', async () => {
    const tickets = ['t&1', 't&2'];
    const { opened, clock, sockets } = makeClient({ ticket: () => Promise.resolve(tickets.shift() ?? '') });
    (await opened()).end();
    await clock.advance(0);
    expect(sockets.map(({ url }) => url)).toEqual(['wss://chat.example/?ticket=t%261', 'wss://chat.example/?ticket=t%262']);
  });

  it('that is answered with 401 leads to a renewal, then to another one', async () => {
    const renewals: number[] = [];
    const { opened, sockets } = makeClient({
      renew: () => void renewals.push(1),
      ticket: () => (renewals.length > 0 ? 'good' : raise(answer(401))),
    });
    await opened();
    expect(sockets.map(({ url }) => url)).toEqual(['wss://chat.example/?ticket=good']);
  });

  it.each([
    [401, 'log-in'],
    [403, 'refused'],
    [404, 'refused'],
  ])('that is answered with %i stops the client: %s', async (status, why) => {
    const { client, newest } = makeClient({ ticket: () => raise(answer(status)) });
    await newest();
    expect(client.state).toMatchObject({ name: 'stopped', why, error: { status } });
  });

  it('that cannot be had is asked for again after a pause', async () => {
    const failures = [new Error('network')];
    const { client, clock, newest, sockets } = makeClient({ ticket: () => (failures.length > 0 ? raise(failures.pop()) : 'good') });
    await newest();
    expect(client.state).toMatchObject({ name: 'waiting', inMs: 500 });
    await clock.advance(500);
    expect(sockets).toHaveLength(1);
  });

  it('that never comes is an attempt that took too long', async () => {
    const { client, clock, sockets } = makeClient({ ticket: never, connectTimeoutMs: 2_000 });
    await clock.advance(2_000);
    expect([client.state.name, sockets.length]).toEqual(['waiting', 0]);
  });

  it('that comes after the client was closed opens nothing', async () => {
    const ticket = deferred<string>();
    const { client, clock, newest, sockets } = makeClient({ ticket: () => ticket.promise });
    await newest();
    client.close();
    ticket.resolve('late');
    await clock.advance(0);
    expect(sockets).toEqual([]);
  });
});

describe('protocols', () => {
  it.each([
    ['one', 'chat', 'chat'],
    ['several', ['chat', 'token.x'], ['chat', 'token.x']],
    ['what gets them', () => Promise.resolve(['fresh']), ['fresh']],
  ])('are offered: %s', async (_, protocols, offered) => {
    const { newest } = makeClient({ protocols });
    expect((await newest()).protocols).toEqual(offered);
  });
});

function raise(error: unknown): never {
  throw error;
}
