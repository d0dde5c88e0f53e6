import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import {
  authorization,
  type Channel,
  ChannelServer,
  compose,
  cookie,
  fromHttpSession,
  fromToken,
  type HasChannelSession,
  type TokenGrant,
  type TokenId,
  tokenIdOf,
  withChannelSession,
  withUserFrom,
  withUserFromHttp,
  withUserFromToken,
} from '../../../entries/index.js';
import { MemoryHttpSessionReader, MemorySessionStore, MemoryUserRepository } from '../../../entries/memory.js';
import { connectTo } from '../../../entries/testing.js';
import { collectGarbage } from '../../support/collect-garbage.js';
import { type Deferred, deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { modes, serve } from '../../support/serving.js';
import { WsClient } from '../../support/ws-client.js';

const key = 'a'.repeat(40);
const tokenId = tokenIdOf(key);
const ann = { id: 'ann', isAuthenticated: true } as const;
const grant: TokenGrant = { id: tokenId, user: ann };

/** A repository that answers when the test says so. */
function slowTokens(): {
  readonly findById: ReturnType<typeof vi.fn<(id: TokenId) => Promise<TokenGrant | undefined>>>;
  readonly answer: Deferred<TokenGrant>;
} {
  const answer = deferred<TokenGrant>();
  return { findById: vi.fn(() => answer.promise), answer };
}

/** How a client that was refused with `close(4001, 'logged out')` is told. */
async function howItEnded(connecting: Promise<WsClient>): Promise<unknown> {
  const client = await connecting;
  return client.refused?.status ?? (await client.closed());
}

const refusedBy = { accept: { code: 4001, reason: 'logged out' }, handleUpgrades: 403 };

function logOut(channels: readonly Channel[]): void {
  for (const channel of channels) channel.close(4001, 'logged out');
}

describe.each(modes)('with %s, a channel that is still connecting', (mode) => {
  it('is found by its token from before the look-up is sent, and refused by close, however long that hangs', async () => {
    const tokens = slowTokens();
    const connect = vi.fn();
    const { channels, port, clock, errors } = await serve({ connect: withUserFromToken({ tokens })(connect) }, { mode });
    const seen: number[] = [];
    tokens.findById.mockImplementation(() => {
      seen.push(channels.channels.ofToken(tokenId).length);
      return tokens.answer.promise;
    });
    const connecting = WsClient.connect(port, { cookie: `key=${key}` });
    await eventually(() => expect(seen).toEqual([1]));
    logOut(channels.channels.ofToken(tokenId));
    expect(await howItEnded(connecting)).toEqual(refusedBy[mode]);
    tokens.answer.resolve(grant);
    await nextTurn();
    expect(connect).not.toHaveBeenCalled();
    expect(errors).toEqual([]);
    await eventually(() => expect(clock.pendingTimers).toBe(0));
    expect(channels.channels.ofToken(tokenId)).toEqual([]);
    expect(channels.channels.ofUser('ann')).toEqual([]);
  });

  it('is found by token and user while its connect handler runs, and refused by close', async () => {
    const waiting = deferred();
    const aborted = vi.fn();
    const disconnect = vi.fn();
    const connect = withUserFromToken({ tokens: { findById: async () => grant } })((message) => {
      message.signal.addEventListener('abort', aborted);
      return waiting.promise;
    });
    const { channels, port } = await serve({ connect, disconnect }, { mode });
    const connecting = WsClient.connect(port, { cookie: `key=${key}` });
    await eventually(() => expect(channels.channels.ofUser('ann')).toHaveLength(1));
    expect(channels.channels.ofToken(tokenId)).toEqual(channels.channels.ofUser('ann'));
    expect([...channels.channels]).toEqual([]);
    expect(channels.channels.size).toBe(0);
    expect(channels.channels.get(channels.channels.ofUser('ann')[0]?.id ?? '')).toBeUndefined();
    logOut(channels.channels.ofUser('ann'));
    expect(aborted).toHaveBeenCalledOnce();
    expect(await howItEnded(connecting)).toEqual(refusedBy[mode]);
    waiting.resolve();
    await nextTurn();
    expect(channels.channels.size).toBe(0);
    expect(channels.channels.ofUser('ann')).toEqual([]);
    expect(disconnect).not.toHaveBeenCalled();
  });

  it('is refused by close while what connect set is being saved', async () => {
    const saving = deferred();
    const store = new MemorySessionStore();
    const create = vi.spyOn(store, 'create').mockImplementation(() => saving.promise);
    const connect = compose(
      withUserFromToken({ tokens: { findById: async () => grant } }),
      withChannelSession({ store, scope: 'user' }),
    )((message: HasChannelSession) => message.channelSession.set('seen', true));
    const { channels, port } = await serve({ connect }, { mode });
    const connecting = WsClient.connect(port, { cookie: `key=${key}` });
    await eventually(() => expect(create).toHaveBeenCalled());
    logOut(channels.channels.ofUser('ann'));
    expect(await howItEnded(connecting)).toEqual(refusedBy[mode]);
    saving.resolve();
    await nextTurn();
    expect(channels.channels.size).toBe(0);
  });

  it('is found by its HTTP session and user from before the look-up of the user is sent', async () => {
    const sessions = new MemoryHttpSessionReader();
    const id = sessions.create('ann');
    const asked = deferred();
    const users = { findById: vi.fn(() => asked.promise.then(() => ann)) };
    const { channels, port } = await serve({ connect: withUserFromHttp({ sessions, users })(() => undefined) }, { mode });
    const connecting = WsClient.connect(port, { cookie: `sessionid=${id}` });
    await eventually(() => expect(users.findById).toHaveBeenCalled());
    expect(channels.channels.ofHttpSession(id)).toHaveLength(1);
    expect(channels.channels.ofUser('ann')).toEqual(channels.channels.ofHttpSession(id));
    logOut(channels.channels.ofHttpSession(id));
    expect(await howItEnded(connecting)).toEqual(refusedBy[mode]);
    asked.resolve();
    await nextTurn();
    expect(channels.channels.ofHttpSession(id)).toEqual([]);
  });
});

describe('a channel', () => {
  it('is refused by close while its handshake is being answered', async () => {
    const verifying = deferred<(isAllowed: boolean) => void>();
    const upgrades = { ws: { verifyClient: (_info: unknown, callback: (isAllowed: boolean) => void) => verifying.resolve(callback) } };
    const tokens = { findById: async () => grant };
    const { channels, port } = await serve({ connect: withUserFromToken({ tokens })(() => undefined) }, { upgrades });
    const connecting = WsClient.connect(port, { cookie: `key=${key}` });
    const answer = await verifying.promise;
    logOut(channels.channels.ofToken(tokenId));
    expect(await howItEnded(connecting)).toBe(403);
    answer(true);
    await nextTurn();
    expect(channels.channels.size).toBe(0);
    expect(channels.channels.ofToken(tokenId)).toEqual([]);
  });

  it('is found by what has identified it alone, once that is known', async () => {
    const other = 'b'.repeat(40);
    const sessions = new MemoryHttpSessionReader();
    const users = new MemoryUserRepository([ann]);
    const id = sessions.create('ann');
    const tokens = { findById: async () => undefined };
    const sources = [
      fromToken({ tokens, from: cookie() }),
      fromToken({ tokens, from: authorization() }),
      fromHttpSession({ sessions, users }),
    ] as const;
    const server = new ChannelServer({ connect: withUserFrom(...sources)(() => undefined) });
    const client = await connectTo(server, { cookies: { key, sessionid: id }, headers: { authorization: `Bearer ${other}` } });
    expect(client.user).toEqual(ann);
    expect(server.channels.ofHttpSession(id)).toEqual([client.channel]);
    expect(server.channels.ofToken(tokenId)).toEqual([]);
    expect(server.channels.ofToken(tokenIdOf(other))).toEqual([]);
    await client.disconnect();
    expect(server.channels.ofHttpSession(id)).toEqual([]);
  });

  it('is found under the id that its user had, and let go of, where the user object is changed', async () => {
    const user = { id: 'ann', isAuthenticated: true as const };
    const server = new ChannelServer({
      connect: withUserFromToken({ tokens: { findById: async () => ({ id: tokenId, user }) } })(() => undefined),
    });
    const client = await connectTo(server, { cookies: { key } });
    user.id = 'bob';
    expect(server.channels.ofUser('ann')).toEqual([client.channel]);
    await client.disconnect();
    expect(server.channels.ofUser('ann')).toEqual([]);
    expect(server.channels.ofUser('bob')).toEqual([]);
  });

  it('that has ended is found by nothing that is asked for it afterwards, and let go', async () => {
    const first = deferred<TokenGrant | undefined>();
    const other = 'b'.repeat(40);
    const server = new ChannelServer({
      connect: withUserFrom(
        fromToken({ tokens: { findById: () => first.promise } }),
        fromToken({ tokens: { findById: async () => grant }, from: authorization() }),
      )(() => undefined),
    });
    const refused = async (): Promise<WeakRef<Channel>> => {
      const connecting = connectTo(server, { cookies: { key }, headers: { authorization: `Bearer ${other}` } });
      await nextTurn();
      const found = server.channels.ofToken(tokenId);
      logOut(found);
      expect((await connecting).refusal).toEqual({ status: 403 });
      return new WeakRef(found[0]!);
    };
    const channel = await refused();
    first.resolve(undefined);
    await nextTurn();
    expect(server.channels.ofToken(tokenIdOf(other))).toEqual([]);
    expect(server.channels.ofUser('ann')).toEqual([]);
    for (let round = 0; round < 5 && channel.deref() !== undefined; round += 1) await collectGarbage();
    expect(channel.deref()).toBeUndefined();
  });

  it('keeps its place among those of its user, whichever of them are closed', async () => {
    const server = new ChannelServer({ connect: withUserFromToken({ tokens: { findById: async () => grant } })(() => undefined) });
    const clients = [
      await connectTo(server, { cookies: { key } }),
      await connectTo(server, { cookies: { key } }),
      await connectTo(server, { cookies: { key } }),
    ];
    await clients[1]?.disconnect();
    expect(server.channels.ofUser('ann')).toEqual([clients[0]?.channel, clients[2]?.channel]);
    await clients[0]?.disconnect();
    expect(server.channels.ofToken(tokenId)).toEqual([clients[2]?.channel]);
    await clients[2]?.disconnect();
    expect(server.channels.ofUser('ann')).toEqual([]);
  });
});
