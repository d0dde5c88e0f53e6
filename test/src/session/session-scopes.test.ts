import { describe, expect, it, vi } from 'vitest';
import {
  type BaseMessage,
  ChannelServer,
  type ChannelServerOptions,
  type ConnectMessage,
  fromHttpSession,
  fromToken,
  type HasChannelSession,
  type ReceiveMessage,
  type SessionScope,
  tokenIdOf,
  withChannelSession,
  withChannelUser,
  withUserFrom,
  withUserFromToken,
} from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import type { ChannelEvent } from '../../../src/events.js';
import { aliceKey, bobKey, codesOf, expectProcessToLive, makeSite, type Site } from '../../support/site.js';

expectProcessToLive();
const phone = { key: aliceKey };

/** A server whose clients say `{ "op": "set" | "update" | "delete" | "read", "key", "value" }` to their session. */
function serve(site: Site, scope: SessionScope, options: ChannelServerOptions = {}): ChannelServer {
  const source = fromToken({ tokens: site.tokens });
  const connect = withUserFrom(source, fromHttpSession({ sessions: site.sessions, users: site.users }))(() => {});
  const receive = withChannelSession(async (message) => {
    const { op, key, value } = (message as unknown as ReceiveMessage).json() as { op: string; key: string; value: number };
    const { channelSession } = message;
    if (op === 'set') channelSession.set(key, value);
    if (op === 'delete') channelSession.delete(key);
    if (op === 'update') channelSession.update(key, (old) => Number(old ?? 0) + value);
    if (op === 'read') message.channel.sendJson(channelSession);
  });
  return new ChannelServer({ connect, receive }, { ...site.options, session: { store: site.store, scope }, ...options });
}

describe('a session of scope channel', () => {
  it('belongs to one connection: another of the same client has its own', async () => {
    const site = makeSite();
    const server = serve(site, 'channel');
    const [one, other] = [await connectTo(server, { cookies: phone }), await connectTo(server, { cookies: phone })];
    await one.sendJson({ op: 'set', key: 'a', value: 1 });
    await other.sendJson({ op: 'read' });
    expect(other.sentJson).toEqual([{}]);
    expect(site.store.size).toBe(1);
  });
});

describe('a session of scope client', () => {
  it('is found again by a client that reconnects, on any server with the store', async () => {
    const site = makeSite();
    const first = await connectTo(serve(site, 'client'), { cookies: phone });
    await first.sendJson({ op: 'set', key: 'a', value: 1 });
    await first.disconnect(1006);
    const again = await connectTo(serve(site, 'client'), { cookies: phone });
    expect(again.channelSession.get('a')).toBe(1);
  });

  it('keeps what disconnect changes, which would be for nothing in a session of the channel alone', async () => {
    for (const [scope, saves] of [
      ['client', 2],
      ['channel', 1],
    ] as const) {
      const site = makeSite();
      const events: ChannelEvent[] = [];
      const keep = withChannelSession(({ channelSession }) => channelSession.update('count', (count) => Number(count ?? 0) + 1));
      const connect = withUserFromToken({ tokens: site.tokens })(keep);
      const session = { store: site.store, scope };
      const server = new ChannelServer({ connect, disconnect: keep }, { ...site.options, session, onEvent: (event) => events.push(event) });
      await (await connectTo(server, { cookies: phone })).disconnect();
      expect(events.filter(({ type }) => type === 'save')).toHaveLength(saves);
      expect((await connectTo(server, { cookies: phone })).channelSession.get('count')).toBe(scope === 'client' ? 3 : 1);
    }
  });

  it('belongs to the token: another token of the same user has its own', async () => {
    const site = makeSite();
    const tablet = (await site.tokens.issue('alice')).key;
    const server = serve(site, 'client');
    const first = await connectTo(server, { cookies: phone });
    await first.sendJson({ op: 'set', key: 'a', value: 1 });
    expect((await connectTo(server, { cookies: { key: tablet } })).channelSession.has('a')).toBe(false);
    expect((await connectTo(server, { cookies: phone })).channelSession.has('a')).toBe(true);
  });

  it('belongs to the HTTP session where that identified the channel', async () => {
    const site = makeSite();
    const cookies = { sessionid: site.sessions.create('alice') };
    const server = serve(site, 'client');
    const first = await connectTo(server, { cookies });
    await first.sendJson({ op: 'set', key: 'a', value: 1 });
    expect((await connectTo(server, { cookies })).channelSession.has('a')).toBe(true);
    expect((await connectTo(server, { cookies: { sessionid: site.sessions.create('alice') } })).channelSession.has('a')).toBe(false);
    expect((await connectTo(server, { cookies: phone })).channelSession.has('a')).toBe(false);
  });

  it('has an id that is a digest, never a credential, nor anything that the client chose', async () => {
    const site = makeSite();
    const create = vi.spyOn(site.store, 'create');
    const sessionid = site.sessions.create('alice');
    const server = serve(site, 'client');
    for (const cookies of [phone, { sessionid }]) await (await connectTo(server, { cookies })).sendJson({ op: 'set', key: 'a', value: 1 });
    for (const [id] of create.mock.calls) {
      expect(id).toMatch(/^[0-9a-f]{64}$/);
      expect([aliceKey, tokenIdOf(aliceKey), sessionid]).not.toContain(id);
    }
    expect(create).toHaveBeenCalledTimes(2);
  });
});

describe('a session of scope user', () => {
  it('is shared by all channels of a user, however each was identified, and by nobody else', async () => {
    const site = makeSite();
    const server = serve(site, 'user');
    const first = await connectTo(server, { cookies: phone });
    await first.sendJson({ op: 'set', key: 'a', value: 1 });
    expect((await connectTo(server, { cookies: { sessionid: site.sessions.create('alice') } })).channelSession.has('a')).toBe(true);
    expect((await connectTo(server, { cookies: { key: bobKey } })).channelSession.has('a')).toBe(false);
  });
});

describe('an anonymous channel', () => {
  it.each<SessionScope>(['client', 'user'])('falls back to a session of its own under scope %s', async (scope) => {
    const site = makeSite();
    const load = vi.spyOn(site.store, 'load');
    const server = serve(site, scope);
    const [one, other] = [await connectTo(server), await connectTo(server)];
    await one.sendJson({ op: 'set', key: 'a', value: 1 });
    await other.sendJson({ op: 'read' });
    expect(other.sentJson).toEqual([{}]);
    expect(load).not.toHaveBeenCalled();
    expect(site.store.size).toBe(1);
    await one.disconnect();
    expect(site.store.size).toBe(0);
  });
});

describe('two channels of one session, on two servers with one store', () => {
  async function pair(scope: SessionScope = 'client') {
    const site = makeSite();
    const one = await connectTo(serve(site, scope), { cookies: phone });
    await one.sendJson({ op: 'set', key: 'seed', value: 0 });
    const other = await connectTo(serve(site, scope), { cookies: phone });
    const stored = async () => (await connectTo(serve(site, scope), { cookies: phone })).channelSession;
    return { site, one, other, stored };
  }

  it('keep both changes where they changed different keys', async () => {
    const { site, one, other, stored } = await pair();
    await one.sendJson({ op: 'set', key: 'a', value: 1 });
    await other.sendJson({ op: 'set', key: 'b', value: 2 });
    expect(JSON.parse(JSON.stringify(await stored()))).toEqual({ seed: 0, a: 1, b: 2 });
    expect(site.errors).toEqual([]);
  });

  it('keep both changes of one key through update(), which reruns on the newest value', async () => {
    const { site, one, other, stored } = await pair();
    for (let round = 0; round < 5; round += 1) {
      await Promise.all([one.sendJson({ op: 'update', key: 'n', value: 1 }), other.sendJson({ op: 'update', key: 'n', value: 10 })]);
    }
    expect(JSON.parse(JSON.stringify(await stored()))).toEqual({ seed: 0, n: 55 });
    expect(site.errors).toEqual([]);
  });

  it('end one with a typed conflict where both set one key; none is lost in silence', async () => {
    const { site, one, other, stored } = await pair();
    await one.sendJson({ op: 'set', key: 'a', value: 1 });
    await other.sendJson({ op: 'set', key: 'a', value: 2 });
    expect(codesOf(site.errors)).toEqual(['ERR_SESSION_CONFLICT']);
    expect(other.closed?.code).toBe(1011);
    expect(one.closed).toBeUndefined();
    expect(JSON.parse(JSON.stringify(await stored()))).toEqual({ seed: 0, a: 1 });
  });

  it('end one with a typed conflict where one deletes what the other set', async () => {
    const { site, one, other, stored } = await pair();
    await one.sendJson({ op: 'set', key: 'seed', value: 7 });
    await other.sendJson({ op: 'delete', key: 'seed' });
    expect(codesOf(site.errors)).toEqual(['ERR_SESSION_CONFLICT']);
    expect(JSON.parse(JSON.stringify(await stored()))).toEqual({ seed: 7 });
  });

  it('see what they saved once their own save has met it', async () => {
    const { one, other } = await pair();
    await one.sendJson({ op: 'set', key: 'a', value: 1 });
    await other.sendJson({ op: 'set', key: 'b', value: 2 });
    await other.sendJson({ op: 'read' });
    expect(other.sentJson).toEqual([{ seed: 0, a: 1, b: 2 }]);
  });

  it('create one record where both change it first at the same time', async () => {
    const site = makeSite();
    const one = await connectTo(serve(site, 'client'), { cookies: phone });
    const other = await connectTo(serve(site, 'client'), { cookies: phone });
    await Promise.all([one.sendJson({ op: 'update', key: 'n', value: 1 }), other.sendJson({ op: 'update', key: 'n', value: 10 })]);
    const third = await connectTo(serve(site, 'client'), { cookies: phone });
    expect(third.channelSession.get('n')).toBe(11);
    expect(site.store.size).toBe(1);
    expect(site.errors).toEqual([]);
  });

  it('give up with a conflict rather than try for ever against a store that always says conflict', async () => {
    const { site, one } = await pair();
    const { ChannelError } = await import('../../../entries/index.js');
    const save = vi.spyOn(site.store, 'save').mockImplementation(() => Promise.reject(new ChannelError('ERR_SESSION_CONFLICT', 'again')));
    await one.sendJson({ op: 'update', key: 'n', value: 1 });
    expect(one.closed?.code).toBe(1011);
    expect(codesOf(site.errors)).toEqual(['ERR_SESSION_CONFLICT']);
    expect(save.mock.calls.length).toBeLessThan(100);
  });
});

describe('a session and identification', () => {
  it('come in this order, in whatever order the wrappers stand', async () => {
    const site = makeSite();
    const wrapUser = withUserFrom(fromToken({ tokens: site.tokens }));
    const seen: unknown[] = [];
    const outside = withChannelSession(
      wrapUser((message: object) => void seen.push((message as { channelSession: object }).channelSession)),
    );
    const first = await connectTo(serve(site, 'client'), { cookies: phone });
    await first.sendJson({ op: 'set', key: 'a', value: 1 });
    const load = vi.spyOn(site.store, 'load');
    const server = new ChannelServer({ connect: outside }, { ...site.options, session: { store: site.store, scope: 'client' } });
    const client = await connectTo(server, { cookies: phone });
    expect(client.channelSession.get('a')).toBe(1);
    expect(load).toHaveBeenCalledTimes(1);
    expect(JSON.stringify(seen)).toBe('[{"a":1}]');
  });
});

describe('a shared session of a channel that a function of one’s own identifies, where the server cannot see that', () => {
  const count = ({ channelSession, channel }: HasChannelSession & BaseMessage): void => {
    channelSession.update('n', (n) => Number(n ?? 0) + 1);
    channel.sendJson(channelSession.get('n'));
  };
  const hidden = (wrapped: unknown) => (message: BaseMessage) => (wrapped as (message: BaseMessage) => unknown)(message);

  it.each<[string, (site: Site) => (message: ConnectMessage) => unknown]>([
    ['alone', ({ tokens }) => hidden(withUserFromToken({ tokens })(() => {}))],
    ['under the session', ({ tokens }) => withChannelSession(hidden(withUserFromToken({ tokens })(count)))],
    ['under the user', ({ tokens }) => withChannelUser(hidden(withUserFromToken({ tokens })(count)))],
  ])('is that of the user: %s', async (_where, connectOf) => {
    for (const via of ['upgrade', 'accept'] as const) {
      const site = makeSite();
      const session = { store: site.store, scope: 'user' } as const;
      const server = new ChannelServer({ connect: connectOf(site), receive: withChannelUser(count) }, { ...site.options, session });
      const told: unknown[] = [];
      for (let round = 0; round < 2; round += 1) {
        const client = await connectTo(server, { cookies: phone, via });
        await client.send('x');
        await client.disconnect();
        told.push(...client.sentJson);
      }
      expect(told).toEqual(told.map((_, index) => index + 1));
      expect(site.store.size).toBe(1);
      expect(site.errors).toEqual([]);
    }
  });
});
