import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { uncaughtIn } from '../support/uncaught.js';
import { FakeNodeSocket, makeClient } from './fake-socket.js';

const names = (states: readonly { readonly name: string }[]): string[] => states.map(({ name }) => name);

describe('a client whose line breaks', () => {
  it('returns at once from a good connection', async () => {
    const { opened, clock, sockets, states } = makeClient();
    (await opened()).end();
    await clock.advance(0);
    expect(sockets).toHaveLength(2);
    expect(states.slice(0, 4)).toMatchObject([
      { name: 'connecting' },
      { name: 'open' },
      { name: 'waiting', inMs: 0, closing: { code: 1006 } },
      { name: 'connecting' },
    ]);
  });

  it('waits a random part of a bound that doubles with each failure, up to its maximum', async () => {
    const { client, newest, clock } = makeClient({ minDelayMs: 1_000, maxDelayMs: 5_000 });
    const pauses: number[] = [];
    for (let failure = 0; failure < 5; failure += 1) {
      (await newest()).end();
      await clock.advance(0);
      if (client.state.name !== 'waiting') throw new Error(client.state.name);
      pauses.push(client.state.inMs);
      await clock.advance(client.state.inMs);
    }
    expect(pauses).toEqual([500, 1_000, 2_000, 2_500, 2_500]);
  });

  it.each([0, 0.25, 0.999])('waits from nothing to the whole bound: %d of it', async (part) => {
    const { client, newest } = makeClient({ random: () => part });
    (await newest()).end();
    expect(client.state).toMatchObject({ name: 'waiting', inMs: part * 1_000 });
  });

  it('goes on counting where connections do not last, and begins anew after one that did', async () => {
    const { client, opened, clock } = makeClient({ stableMs: 10_000, pingMs: 0 });
    const pauseAfter = async (lastedMs: number): Promise<number> => {
      const socket = await opened();
      await clock.advance(lastedMs);
      socket.end();
      if (client.state.name !== 'waiting') throw new Error(client.state.name);
      const { inMs } = client.state;
      await clock.advance(inMs);
      return inMs;
    };
    const pauses = [];
    for (const lasted of [9_000, 9_000, 9_000, 10_000, 9_000]) pauses.push(await pauseAfter(lasted));
    expect(pauses).toEqual([0, 1_000, 2_000, 0, 1_000]);
  });

  it.each([
    { options: { connectTimeoutMs: 3_000 }, limitMs: 3_000 },
    { options: {}, limitMs: 15_000 },
  ])('gives up an attempt that is not answered for $limitMs ms, given $options', async ({ options, limitMs }) => {
    const { client, clock, sockets } = makeClient(options);
    await clock.advance(limitMs - 1);
    expect(client.state.name).toBe('connecting');
    await clock.advance(1);
    expect(client.state).toMatchObject({ name: 'waiting', closing: { code: 1006 } });
    expect(sockets[0]?.closedWith).toBeDefined();
  });

  it('heeds nothing that an earlier socket tells', async () => {
    const messages: unknown[] = [];
    const { client, clock, sockets } = makeClient({ connectTimeoutMs: 1_000, onMessage: (data) => messages.push(data) });
    await clock.advance(1_500);
    sockets[0]?.open();
    sockets[0]?.receive('late');
    sockets[0]?.end(3003, 'denied');
    await clock.advance(0);
    expect([client.state.name, sockets.length, messages]).toEqual(['connecting', 2, []]);
  });
});

describe('a client on a platform whose sockets fail in a way of their own', () => {
  it.each(['tell of an error alone', 'close with the code 0 after it'])(
    'takes a line for broken, and a handshake for failed, where they %s',
    async (how) => {
      const renew = vi.fn();
      const { client, newest, opened, clock } = makeClient({ renew });
      const fail = async (): Promise<void> => {
        const socket = await newest();
        socket.fail();
        if (how !== 'tell of an error alone') socket.end(0);
      };
      await fail();
      expect(client.state).toMatchObject({ name: 'waiting', inMs: 500, closing: { code: 1006, reason: '' } });
      await clock.advance(500);
      await fail();
      await clock.advance(0);
      expect(renew).toHaveBeenCalledTimes(1);
      await opened();
      await clock.advance(10_000);
      await fail();
      expect(client.state).toEqual({ name: 'waiting', inMs: 0, closing: { code: 1006, reason: '' } });
    },
  );
});

describe('a client whose server ends the connection', () => {
  it.each([
    [1012, 'restarting', 1_500],
    [1013, 'try again later', 500],
    [3008, 'connect took too long', 500],
    [1011, 'internal error', 3_500],
    [1008, 'rate limited', 60_500],
  ])('waits after %i %s', async (code, reason, inMs) => {
    const { client, opened, clock, sockets } = makeClient();
    (await opened()).end(code, reason);
    expect(client.state).toEqual({ name: 'waiting', inMs, closing: { code, reason } });
    await clock.advance(inMs - 1);
    expect(sockets).toHaveLength(1);
    await clock.advance(1);
    expect(sockets).toHaveLength(2);
  });

  it.each([
    [3003, 'denied', 'refused'],
    [1008, 'too much input', 'refused'],
    [1000, '', 'refused'],
    [4000, 'game over', 'refused'],
    [3000, 'token revoked', 'log-in'],
    [3000, 'session ended', 'log-in'],
  ])('stops after %i %s, and says so: %s', async (code, reason, why) => {
    const { client, opened, clock, sockets, states } = makeClient({ renew: () => undefined });
    (await opened()).end(code, reason);
    await clock.advance(1_000_000);
    expect(client.state).toEqual({ name: 'stopped', why, closing: { code, reason } });
    expect(states.at(-1)).toEqual(client.state);
    expect([sockets.length, clock.pendingTimers]).toEqual([1, 0]);
  });

  it('gives up a server that fails again and again without a good connection in between', async () => {
    const { client, opened, clock } = makeClient();
    for (let failure = 0; failure < 10; failure += 1) {
      (await opened()).end(1011, 'internal error');
      if (client.state.name !== 'waiting') throw new Error(`${client.state.name} after ${failure}`);
      await clock.advance(client.state.inMs);
    }
    (await opened()).end(1011, 'internal error');
    expect(client.state).toMatchObject({ name: 'stopped', why: 'failing', closing: { code: 1011 } });
  });

  it('does what the application says of a code of its own', async () => {
    const { client, opened, clock } = makeClient({ onClose: ({ code }) => (code === 4100 ? 'at-once' : undefined) });
    (await opened()).end(4100, 'moved');
    expect(client.state).toMatchObject({ name: 'waiting', inMs: 0 });
    await clock.advance(0);
    (await opened()).end(4200, 'over');
    expect(client.state).toMatchObject({ name: 'stopped', why: 'refused' });
  });

  it.each([false, null, 0, true, Promise.resolve('at-once')])(
    'follows the contract where onClose gives %j, which is no action',
    async (given) => {
      const { client, opened } = makeClient({ onClose: (() => given) as unknown as () => undefined });
      (await opened()).end(3003, 'denied');
      expect(client.state).toMatchObject({ name: 'stopped', why: 'refused' });
    },
  );

  it('stays closed where the application closes it when it is told', async () => {
    const made = makeClient({
      onClose(): undefined {
        made.client.close(4000, 'enough');
      },
    });
    const { client, opened, clock, sockets, states } = made;
    (await opened()).end(1012, 'restarting');
    await clock.advance(1_000_000);
    expect(client.state).toEqual({ name: 'stopped', why: 'closed', closing: { code: 4000, reason: 'enough' } });
    expect([sockets.length, states.map(({ name }) => name)]).toEqual([1, ['connecting', 'open', 'stopped']]);
  });

  it('tells where the application throws, and acts on the contract', async () => {
    const mistake = new Error('of the application');
    const { client, opened, clock } = makeClient({
      onClose: () => {
        throw mistake;
      },
    });
    const uncaught = await uncaughtIn(async () => {
      (await opened()).end(1012, 'restarting');
      await clock.advance(0);
    });
    expect(uncaught).toEqual([mistake]);
    expect(client.state).toMatchObject({ name: 'waiting', inMs: 1_500 });
  });
});

describe('a client that is told the status of a refused handshake, as in Node', () => {
  it.each([
    [503, { 'retry-after': '5' }, 5_500],
    [429, { 'retry-after': '20' }, 20_500],
    [503, {}, 500],
    [500, { 'retry-after': 'soon' }, 500],
    [408, {}, 500],
  ])('returns after %i %j', async (status, headers, inMs) => {
    const { client, newest } = makeClient({}, FakeNodeSocket);
    const socket = await newest();
    socket.refuse(status, headers);
    expect(client.state).toMatchObject({ name: 'waiting', inMs, error: { status } });
    expect(socket.isTerminated).toBe(true);
  });

  it('waits until the date that a Retry-After names', async () => {
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 1), toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const { client, newest } = makeClient({}, FakeNodeSocket);
    (await newest()).refuse(503, { 'retry-after': 'Thu, 01 Jan 2026 00:01:00 GMT' });
    expect(client.state).toMatchObject({ name: 'waiting', inMs: 60_500 });
  });

  it.each([400, 403, 404, 302, 413])('stops after %i', async (status) => {
    const { client, newest } = makeClient({}, FakeNodeSocket);
    (await newest()).refuse(status);
    expect(client.state).toMatchObject({ name: 'stopped', why: 'refused', error: { status } });
  });

  it('stops after 401 where it cannot renew', async () => {
    const { client, newest } = makeClient({}, FakeNodeSocket);
    (await newest()).refuse(401);
    expect(client.state).toMatchObject({ name: 'stopped', why: 'log-in' });
  });
});

describe('states', () => {
  it('are told to each reader from where the client stands, and end when it has stopped', async () => {
    const { client, opened, states } = makeClient();
    const socket = await opened();
    const late: string[] = [];
    const reading = (async () => {
      for await (const { name } of client.states) late.push(name);
    })();
    socket.end(3003, 'denied');
    await reading;
    expect(names(states)).toEqual(['connecting', 'open', 'stopped']);
    expect(late).toEqual(['open', 'stopped']);
    const after = [];
    for await (const { name } of client.states) after.push(name);
    expect(after).toEqual(['stopped']);
  });

  it('do not depend on a reader that has left', async () => {
    const { client, opened, states } = makeClient();
    for await (const { name } of client.states) if (name === 'connecting') break;
    (await opened()).end(3003, 'denied');
    await Promise.resolve();
    expect(client.state.name).toBe('stopped');
    expect(states.length).toBeGreaterThan(1);
  });
});

describe('close', () => {
  it('ends the connection for good, from every state', async () => {
    const open = makeClient();
    const socket = await open.opened();
    open.client.close(4000, 'bye');
    expect(socket.closedWith).toEqual([4000, 'bye']);
    expect(open.client.state).toEqual({ name: 'stopped', why: 'closed', closing: { code: 4000, reason: 'bye' } });
    socket.end(1012, 'restarting');

    const connecting = makeClient();
    const pending = await connecting.newest();
    connecting.client.close();
    pending.open();

    const waiting = makeClient();
    (await waiting.newest()).end();
    waiting.client.close();

    const renewing = makeClient({ renew: () => new Promise(() => undefined) });
    (await renewing.opened()).end(3000, 'token expired');
    renewing.client.close();

    for (const { client, clock, sockets } of [open, connecting, waiting, renewing]) {
      await clock.advance(1_000_000);
      client.close();
      expect([client.state.name, sockets.length, clock.pendingTimers, client.send('x')]).toEqual(['stopped', 1, 0, false]);
    }
  });

  it('drops a peer that does not answer it, where the platform can', async () => {
    const { client, opened, clock } = makeClient({}, FakeNodeSocket);
    const socket = await opened();
    client.close();
    await clock.advance(1_999);
    expect(socket.isTerminated).toBe(false);
    await clock.advance(1);
    expect([socket.isTerminated, clock.pendingTimers]).toEqual([true, 0]);
  });

  it('throws for a code that nobody may send, and leaves the connection as it is', async () => {
    const { client, opened } = makeClient();
    const socket = await opened();
    expect(() => client.close(1001)).toThrow(expect.objectContaining({ name: 'InvalidAccessError' }) as Error);
    expect(client.state.name).toBe('open');
    expect(client.send('still here')).toBe(true);
    expect(socket.sent).toEqual(['still here']);
  });
});
