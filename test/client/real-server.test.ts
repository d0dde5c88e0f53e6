import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { type ClientChannel, type ClientOptions, type ClientState, connectChannel } from '../../entries/client.js';
import { deferred } from '../support/deferred.js';
import { eventually } from '../support/eventually.js';
import { expectProcessToLive } from '../support/site.js';
import { SiteForClients } from './site-for-clients.js';

expectProcessToLive();

let site: SiteForClients;
beforeEach(async () => {
  site = await SiteForClients.start();
});
afterEach(() => site.close());

/** A client that has the cookie `key` of `jar`, as a browser would. */
function join(jar: { key: string }, options: ClientOptions = {}): { readonly client: ClientChannel; readonly states: ClientState[] } {
  class WithCookie extends WebSocket {
    constructor(url: string, protocols?: string | string[]) {
      super(url, protocols ?? [], { headers: { cookie: `key=${jar.key}` } });
    }
  }
  const client = connectChannel(`${site.address}/status`, { WebSocket: WithCookie, random: () => 0.01, ...options });
  onTestFinished(() => client.close());
  const states: ClientState[] = [];
  void (async () => {
    for await (const state of client.states) states.push(state);
  })();
  return { client, states };
}

const order = { command: 'order' };
const isOpen = (client: ClientChannel): Promise<void> => eventually(() => expect(client.state.name).toBe('open'));

describe('a client of ws in Node', () => {
  it('returns to a server that was killed, and sends again what was not answered', async () => {
    const { client, states } = join({ key: await site.newKey() });
    expect(await client.request(order)).toEqual({ orders: 1 });
    site.line.setMode('refuse');
    await eventually(() => expect(client.state.name).toBe('waiting'));
    expect(client.send('x')).toBe(false);
    const asked = client.request(order);
    site.line.setMode('forward');
    expect(await asked).toEqual({ orders: 2 });
    expect(site.handled).toHaveLength(2);
    expect(states.some((state) => state.name === 'waiting' && state.closing.code === 1006)).toBe(true);
  });

  it('gets the answer that was lost with the line, and the request is handled once', async () => {
    const { client } = join({ key: await site.newKey() }, { pingMs: 50, pongMs: 1_000 });
    await isOpen(client);
    site.line.freeze('answers');
    const asked = client.request(order);
    expect(await asked).toEqual({ orders: 1 });
    expect(site.handled).toHaveLength(1);
  });

  it('gets the answer to a request at which the server was at work when the line broke, and that is handled once', async () => {
    const { client } = join({ key: await site.newKey() });
    await isOpen(client);
    const gate = deferred();
    site.orders = gate.promise;
    const asked = client.request(order);
    await eventually(() => expect(site.handled).toHaveLength(1));
    site.line.setMode('refuse');
    await eventually(() => expect(client.state.name).toBe('waiting'));
    site.line.setMode('forward');
    await isOpen(client);
    gate.resolve();
    expect(await asked).toEqual({ orders: 1 });
    expect([site.handled.length, client.state.name]).toEqual([1, 'open']);
  });

  it('notices a line that is frozen, and takes another', async () => {
    const { client, states } = join({ key: await site.newKey() }, { pingMs: 50, pongMs: 1_000 });
    await isOpen(client);
    site.line.freeze('all');
    expect(await client.request(order)).toEqual({ orders: 1 });
    expect(states.slice(0, 5).map(({ name }) => name)).toEqual(['connecting', 'open', 'waiting', 'connecting', 'open']);
  });

  it('returns after a restart', async () => {
    const { client, states } = join({ key: await site.newKey() });
    await isOpen(client);
    await site.restart();
    expect(await client.request(order)).toEqual({ orders: 1 });
    expect(states.find(({ name }) => name === 'waiting')).toMatchObject({ closing: { code: 1012, reason: 'restarting' } });
  });

  it('stops where its token is revoked', async () => {
    const key = await site.newKey();
    const { client, states } = join({ key });
    await isOpen(client);
    await site.tokens.revokeAllOf('ann');
    await eventually(() =>
      expect(states.at(-1)).toEqual({ name: 'stopped', why: 'log-in', closing: { code: 3000, reason: 'token revoked' } }),
    );
  });

  it('renews when its token expires, and returns', async () => {
    const jar = { key: await site.newKey(60_000) };
    const { client, states } = join(jar, {
      renew: async () => {
        jar.key = await site.newKey();
      },
    });
    await isOpen(client);
    await site.clock.advance(60_000);
    expect(await client.request(order)).toEqual({ orders: 1 });
    expect(states.map(({ name }) => name)).toEqual(['connecting', 'open', 'renewing', 'connecting', 'open']);
  });

  it('is told why a handshake is refused', async () => {
    const { client } = join({ key: 'unknown-to-everybody' });
    await eventually(() => expect(client.state).toMatchObject({ name: 'stopped', why: 'log-in', error: { status: 401 } }));
  });

  it('leaves nothing behind when it is closed', async () => {
    const { client } = join({ key: await site.newKey() });
    await isOpen(client);
    client.close(4000, 'bye');
    await eventually(() => expect([...site.live]).toEqual([]));
  });
});
