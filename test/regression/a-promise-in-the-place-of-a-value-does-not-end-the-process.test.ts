import { expect, it } from 'vitest';
import {
  ChannelServer,
  type ConnectMessage,
  fromHttpSession,
  fromToken,
  Groups,
  type HasChannelSession,
  type HttpSession,
  identifyKey,
  tokenIdOf,
  withUserFrom,
  withUserFromHttp,
  withUserFromToken,
} from '../../entries/index.js';
import { MemoryHttpSessionReader, MemorySessionStore, MemoryTicketStore } from '../../entries/memory.js';
import { connectTo } from '../../entries/testing.js';
import { aliceKey, expectProcessToLive, makeSite } from '../support/site.js';

expectProcessToLive();

/** What a forgotten `await` gives. Each call gets one that nobody else knows. */
const forgotten = (): never => Promise.reject(new Error('the look-up failed')) as never;

const site = makeSite();
const groups = new Groups();
const server = new ChannelServer({ connect: withUserFromToken({ tokens: site.tokens })(() => undefined) }, site.options);
const session = { version: 1, data: {}, createdAt: new Date(), expiresAt: new Date() };

type Message = ConnectMessage & HasChannelSession;

it.each<[string, (message: Message) => unknown]>([
  ['channel.send', ({ channel }) => channel.send(forgotten())],
  ['channel.sendJson', ({ channel }) => channel.sendJson(forgotten())],
  ['channel.close', ({ channel }) => channel.close(forgotten())],
  ['channel.reauthenticate', ({ channel }) => channel.reauthenticate(forgotten())],
  ['channelSession.set', ({ channelSession }) => channelSession.set('count' as never, forgotten())],
  ['channelSession.set, its key', ({ channelSession }) => channelSession.set(forgotten(), 1 as never)],
  ['channelSession.update', ({ channelSession }) => channelSession.update('count' as never, forgotten())],
  ['channelSession.update, in its function', ({ channelSession }) => channelSession.update('count' as never, forgotten as never)],
  ['responseHeaders.set', ({ responseHeaders }) => responseHeaders.set('X-Count', forgotten())],
  ['responseHeaders.append, its name', ({ responseHeaders }) => responseHeaders.append(forgotten(), 'x')],
  ['Groups.add', ({ channel }) => groups.add(forgotten(), channel)],
  ['Groups.add, its channel', () => groups.add('lobby', forgotten())],
  ['Groups.send', () => groups.send('lobby', forgotten())],
  ['Groups.send, except', () => groups.send('lobby', 'x', { except: forgotten() })],
  ['disconnectUser', () => server.disconnectUser(forgotten())],
  ['disconnectToken', () => server.disconnectToken(forgotten())],
  ['identify', () => server.identify(forgotten())],
  ['tokenIdOf', () => tokenIdOf(forgotten())],
  ['tokens.findById', () => site.tokens.findById(forgotten())],
  ['tokens.issue', () => site.tokens.issue(forgotten())],
  ['tokens.issue, its end', () => site.tokens.issue('alice', { ttlMs: forgotten() })],
  ['tokens.issue, its label', () => site.tokens.issue('alice', { label: forgotten() })],
  ['tokens.issue, its scopes', () => site.tokens.issue('alice', { scopes: forgotten() })],
  ['users.set', () => site.users.set(forgotten())],
  ['sessions.create', () => new MemoryHttpSessionReader().create(forgotten())],
  ['sessions.create, its data', () => new MemoryHttpSessionReader().create('alice', forgotten())],
  ['store.load', () => new MemorySessionStore().load(forgotten())],
  ['store.create', () => new MemorySessionStore().create('a', { ...session, data: forgotten() })],
  ['tickets.issue', () => new MemoryTicketStore().issue(forgotten(), 5_000)],
  ['tickets.issue, its user', () => new MemoryTicketStore().issue({ userId: forgotten() }, 5_000)],
  ['tickets.issue, its end', () => new MemoryTicketStore().issue({ userId: 'alice' }, forgotten())],
])('a promise in the place of a value is a TypeError, and its rejection is nobody’s: %s', async (_name, act) => {
  const errors: unknown[] = [];
  const connect = withUserFromToken({ tokens: site.tokens })(async (message) => {
    await act(message as unknown as Message);
  });
  const client = await connectTo({ connect }, { cookies: { key: aliceKey }, onError: (error) => errors.push(error) });
  expect(client.refusal).toEqual({ status: 500 });
  expect(errors).toEqual([expect.any(TypeError)]);
});

it('a promise in the place of a key is malformed, as anything else that is no key, and its rejection is nobody’s', async () => {
  const { authentication } = await identifyKey(forgotten(), { tokens: site.tokens });
  expect(authentication.outcome).toBe('malformed');
});

it.each<[string, () => object]>([
  ['user', () => ({ id: 'a', userId: forgotten(), data: {} })],
  ['data', () => ({ id: 'a', userId: 'alice', data: forgotten() })],
])('an HTTP session with a promise in the place of its %s cannot be told, and its rejection is nobody’s', async (_member, make) => {
  const errors: unknown[] = [];
  const sessions = { read: async () => make() as HttpSession, readById: async () => undefined };
  const connect = withUserFromHttp({ sessions, users: site.users })(() => undefined);
  const client = await connectTo({ connect }, { onError: (error) => errors.push(error) });
  expect([500, 503]).toContain(client.refusal?.status);
  expect(errors).toHaveLength(1);
});

it('a batch of promises that nobody has awaited is no answer, ends no channel, and their rejections are nobody’s', async () => {
  const { clock, options, tokens, users, sessions, errors } = makeSite();
  const sessionId = sessions.create('alice');
  const promises = async (ids: readonly string[]) => new Map(ids.map((id) => [id, forgotten()]));
  const found = { findById: tokens.findById.bind(tokens), findByIds: promises };
  const read = { read: sessions.read.bind(sessions), readById: sessions.readById.bind(sessions), readByIds: promises };
  const connect = withUserFrom(fromToken({ tokens: found as never }), fromHttpSession({ sessions: read as never, users }))(() => undefined);
  const channels = new ChannelServer({ connect }, options);
  const clients = [
    await connectTo(channels, { cookies: { key: aliceKey } }),
    await connectTo(channels, { cookies: { sessionid: sessionId } }),
  ];
  await clock.advance(60_000);
  expect(clients.map(({ closed }) => closed)).toEqual([undefined, undefined]);
  expect(errors.length).toBeGreaterThan(0);
  await channels.close();
});

it('what rejects with a promise that rejects is nobody’s', async () => {
  const onEvent = async () => {
    throw forgotten();
  };
  const client = await connectTo({ connect: () => undefined }, { onEvent: onEvent as never });
  expect(client.refusal).toBeUndefined();
});
