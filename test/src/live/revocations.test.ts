import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import {
  ChannelServer,
  type ReceiveMessage,
  type TokenGrant,
  type TokenId,
  withUserFromHttp,
  withUserFromToken,
} from '../../../entries/index.js';
import { MemoryHttpSessionReader, MemoryUserRepository } from '../../../entries/memory.js';
import { connectTo, TestClock } from '../../../entries/testing.js';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { modes, serve } from '../../support/serving.js';
import { codesOf } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';
import { idOf, inactive, keyOf, revoked, ScriptedFeed, ScriptedTokens, sessionEnded, watch } from './watched.js';

describe('a revocation', () => {
  it('ends the channels of its token and no others, as soon as the repository of this process tells of it', async () => {
    const { tokens, connect } = watch();
    tokens.put('ann');
    tokens.put('ann', {}, 'ann-2');
    const [one, two] = [await connect('ann'), await connect('ann-2')];
    tokens.revocations.tell({ tokenId: idOf('ann') });
    expect(one.closed).toEqual(revoked);
    expect(two.closed).toBeUndefined();
    expect(one.channel.send('more')).toBe(false);
  });

  it.each([
    ['a user', { userId: 'ann' }, inactive],
    ['a user, for what was issued before', { userId: 'ann', issuedBefore: new Date(Date.UTC(2027, 0)) }, revoked],
  ])('of %s that comes through the feed of the server ends all channels of the user', async (_of, revocation, ending) => {
    const feed = new ScriptedFeed();
    const { tokens, connect } = watch({ revocations: feed });
    for (const name of ['ann', 'ann-2']) tokens.put('ann', {}, name);
    tokens.put('bob');
    const clients = [await connect('ann'), await connect('ann-2'), await connect('bob')];
    feed.tell(revocation);
    expect(clients.map(({ closed }) => closed)).toEqual([ending, ending, undefined]);
  });

  it('of what was issued before a moment has channels looked up again that were identified after it', async () => {
    const { tokens, clock, logIn } = watch();
    const client = await logIn('ann');
    const issuedBefore = new Date(clock.now() - 1);
    tokens.revocations.tell({ userId: 'ann', issuedBefore });
    await clock.advance(0);
    expect(tokens.asked).toHaveLength(2);
    expect(client.closed).toBeUndefined();
    tokens.grants.clear();
    tokens.revocations.tell({ userId: 'ann', issuedBefore });
    await clock.advance(0);
    expect(client.closed).toEqual(revoked);
  });

  it('that is a hint has all channels of the user looked up in one batch, and a user who is found anew takes the place of the former', async () => {
    const { tokens, connect, clock } = watch();
    const names = ['a', 'b', 'c', 'd'];
    for (const name of names) tokens.put('ann', {}, name);
    const clients = await Promise.all([...names, 'a'].map(connect));
    tokens.asked.length = 0;
    const user = { id: 'ann', isAuthenticated: true as const, name: 'Ann' };
    tokens.grants.set(idOf('a'), { id: idOf('a'), user });
    tokens.grants.set(idOf('b'), { id: idOf('b'), user: undefined });
    tokens.grants.set(idOf('c'), { id: idOf('c'), user, revokedAt: new Date(0) });
    tokens.grants.delete(idOf('d'));
    for (let times = 0; times < 3; times += 1) tokens.revocations.tell({ userId: 'ann', hint: true });
    await clock.advance(0);
    expect(tokens.asked).toEqual([names.map(idOf)]);
    expect(clients.map(({ closed }) => closed)).toEqual([undefined, inactive, revoked, revoked, undefined]);
    expect(clients[0]?.user).toBe(user);
    expect(clients[4]?.user).toBe(user);
  });

  it('of a hint that comes while a look-up is under way has them looked up once more', async () => {
    const { tokens, clock, logIn } = watch();
    const client = await logIn('ann');
    const answering = deferred();
    tokens.answers = answering.promise;
    tokens.revocations.tell({ tokenId: idOf('ann'), hint: true });
    await clock.advance(0);
    tokens.revocations.tell({ tokenId: idOf('ann'), hint: true });
    answering.resolve();
    tokens.grants.clear();
    await clock.advance(0);
    expect(client.closed).toEqual(revoked);
  });

  it('drops what waits, aborts what runs, and lets disconnect run once', async () => {
    const handled: string[] = [];
    const going = deferred();
    const aborted = vi.fn();
    const disconnect = vi.fn();
    const receive = async (message: ReceiveMessage): Promise<void> => {
      handled.push(message.text);
      message.signal.addEventListener('abort', aborted);
      await going.promise;
      expect(message.channel.send('late')).toBe(false);
    };
    const { tokens, clock, logIn } = watch({ handlers: { receive, disconnect } });
    const client = await logIn('ann');
    const sending = ['one', 'two', 'three'].map((text) => client.send(text));
    tokens.revocations.tell({ tokenId: idOf('ann') });
    expect(aborted).toHaveBeenCalledOnce();
    going.resolve();
    await Promise.all(sending);
    await clock.advance(0);
    expect(handled).toEqual(['one']);
    expect(client.sent).toEqual([]);
    expect(disconnect).toHaveBeenCalledOnce();
  });

  it('drops what still waits on a channel that is being closed, or whose peer has left', async () => {
    const handled: string[] = [];
    const going = deferred();
    const disconnect = vi.fn();
    const receive = async (message: ReceiveMessage): Promise<void> => {
      handled.push(message.text);
      await going.promise;
    };
    const { tokens, connect, clock } = watch({ handlers: { receive, disconnect } });
    tokens.put('ann');
    const [closing, left] = [await connect('ann'), await connect('ann')];
    const sending = [closing, left].flatMap((client) => [client.send('first'), client.send('second')]);
    closing.channel.close(1000);
    const leaving = left.disconnect();
    await nextTurn();
    tokens.revocations.tell({ tokenId: idOf('ann') });
    going.resolve();
    await Promise.all([...sending, leaving]);
    await clock.advance(0);
    expect(handled).toEqual(['first', 'first']);
    expect(disconnect).toHaveBeenCalledTimes(2);
  });

  it('that is none is a warning, and ends nothing', async () => {
    const feed = new ScriptedFeed();
    const { warnings, logIn } = watch({ revocations: feed });
    const client = await logIn('ann');
    for (const bad of [null, {}, { userId: '' }, { tokenId: 'ann' }, { userId: 'ann', issuedBefore: 5 }, { httpSessionId: { $ne: null } }])
      feed.tell(bad as never);
    expect(codesOf(warnings)).toEqual(Array(6).fill('ERR_REVOCATION_FEED_FAILED'));
    expect(client.closed).toBeUndefined();
  });

  it('that is none has all channels looked up again, since it may have meant anything', async () => {
    const feed = new ScriptedFeed();
    const { tokens, connect, clock } = watch({ revocations: feed, revalidate: 'connect' });
    for (const name of ['ann', 'bob']) tokens.put(name);
    const [ann, bob] = [await connect('ann'), await connect('bob')];
    tokens.put('ann', { revokedAt: new Date(0) });
    feed.tell({ userId: 7 } as never);
    await clock.advance(1);
    expect([ann.closed, bob.closed]).toEqual([revoked, undefined]);
  });

  it.each<[string, (id: TokenId) => object]>([
    ['its token', (tokenId) => ({ tokenId, userId: null, httpSessionId: null, issuedBefore: null, hint: null })],
    ['its user', () => ({ tokenId: undefined, userId: 'ann', httpSessionId: undefined, issuedBefore: undefined })],
    ['its user', () => ({ tokenId: null, userId: 'ann', issuedBefore: new Date(Date.now() + 10 ** 12) })],
    ['its token, which it names first', (tokenId) => ({ httpSessionId: 'of-bob', userId: 'bob', tokenId })],
    ['its user, whom it names before a session', () => ({ httpSessionId: 'of-bob', userId: 'ann' })],
  ])('ends a channel by %s, whatever it says that there is not', async (_what, revocationOf) => {
    const feed = new ScriptedFeed();
    const { warnings, logIn } = watch({ revocations: feed });
    const client = await logIn('ann');
    const id = idOf('ann');
    feed.tell(revocationOf(id) as never);
    expect(client.closed).toMatchObject({ code: 3000 });
    expect(warnings).toEqual([]);
  });

  it('of an HTTP session ends the channels that it identified', async () => {
    const clock = new TestClock();
    const sessions = new MemoryHttpSessionReader({ clock });
    const users = new MemoryUserRepository([{ id: 'ann', isAuthenticated: true }]);
    const feed = new ScriptedFeed();
    const server = new ChannelServer({ connect: withUserFromHttp({ sessions, users })(() => undefined) }, { clock, revocations: feed });
    const id = sessions.create('ann');
    const client = await connectTo(server, { cookies: { sessionid: id } });
    feed.tell({ httpSessionId: id });
    expect(client.closed).toEqual(sessionEnded);
    await server.close();
  });
});

describe('a revocation of somebody who is still connecting', () => {
  it.each(modes)('refuses the channel while its look-up is under way, with %s', async (mode) => {
    const tokens = new ScriptedTokens();
    tokens.put('ann');
    const answering = deferred();
    tokens.answers = answering.promise;
    const connect = vi.fn();
    const { port } = await serve({ connect: withUserFromToken({ tokens })(connect) }, { mode });
    const connecting = WsClient.connect(port, { cookie: `key=${keyOf('ann')}` });
    await eventually(() => expect(tokens.asked).toHaveLength(1));
    tokens.revocations.tell({ tokenId: idOf('ann') });
    answering.resolve();
    const client = await connecting;
    expect(client.refused?.status ?? (await client.closed())).toEqual(mode === 'accept' ? revoked : 401);
    expect(connect).not.toHaveBeenCalled();
  });

  it('refuses it where only the answer tells whose token it is, and the user was ended before', async () => {
    const { tokens, connect, clock } = watch();
    tokens.put('ann');
    const answering = deferred();
    tokens.answers = answering.promise;
    const connecting = connect('ann');
    await clock.advance(0);
    tokens.revocations.tell({ userId: 'ann' });
    answering.resolve();
    expect((await connecting).refusal).toEqual({ status: 401 });
  });

  it('lets whoever connects afterwards in', async () => {
    const { tokens, connect, logIn } = watch();
    await logIn('ann');
    tokens.revocations.tell({ userId: 'ann' });
    expect((await connect('ann')).refusal).toBeUndefined();
  });

  it.each(['hint', 'gap'])('that is a %s has it looked up again once it is known', async (kind) => {
    const feed = new ScriptedFeed();
    const { tokens, connect, clock } = watch({ revocations: feed });
    tokens.put('ann');
    await (await connect('ann')).disconnect();
    const answering = deferred<TokenGrant>();
    const find = vi.spyOn(tokens, 'findById').mockImplementationOnce(() => answering.promise);
    const connecting = connect('ann');
    await clock.advance(0);
    if (kind === 'hint') feed.tell({ userId: 'ann', hint: true });
    else feed.gap();
    tokens.grants.clear();
    answering.resolve({ id: idOf('ann'), user: { id: 'ann', isAuthenticated: true } });
    const client = await connecting;
    await clock.advance(0);
    expect(find).toHaveBeenCalledOnce();
    expect(client.closed).toEqual(revoked);
  });
});

describe('disconnectUser, disconnectToken and disconnectHttpSession', () => {
  it('resolve to how many channels they ended, connecting ones included, and publish what ended', async () => {
    const feed = new ScriptedFeed();
    const { server, tokens, connect, clock } = watch({ revocations: feed });
    tokens.put('ann');
    tokens.put('bob');
    const clients = [await connect('ann'), await connect('ann'), await connect('bob')];
    const answering = deferred();
    tokens.answers = answering.promise;
    const connecting = connect('bob');
    await clock.advance(0);
    expect(await server.disconnectUser('ann')).toBe(2);
    expect(await server.disconnectToken(idOf('bob'))).toBe(2);
    expect(await server.disconnectHttpSession('none')).toBe(0);
    answering.resolve();
    expect((await connecting).refusal).toEqual({ status: 401 });
    expect(clients.map(({ closed }) => closed)).toEqual([inactive, inactive, revoked]);
    expect(feed.published).toEqual([{ userId: 'ann' }, { tokenId: idOf('bob') }, { httpSessionId: 'none' }]);
  });

  it('end nobody who has come since, when what was published comes back', async () => {
    const feed = new ScriptedFeed();
    feed.publish = async () => undefined;
    const { server, connect, clock, logIn } = watch({ revocations: feed });
    const before = await logIn('ann');
    await clock.advance(1);
    expect(await server.disconnectUser('ann')).toBe(1);
    await clock.advance(50);
    const after = await connect('ann');
    feed.tell({ userId: 'ann' });
    await clock.advance(0);
    expect([before.closed, after.closed]).toEqual([inactive, undefined]);
    feed.tell({ userId: 'ann' });
    expect(after.closed).toEqual(inactive);
  });

  it('end nobody who has come since with the same token, when that comes back', async () => {
    const feed = new ScriptedFeed();
    feed.publish = async () => undefined;
    const { server, tokens, connect, clock, logIn } = watch({ revocations: feed });
    const before = await logIn('ann');
    expect(await server.disconnectToken(idOf('ann'))).toBe(1);
    const after = await connect('ann');
    feed.tell({ tokenId: idOf('ann') });
    await eventually(() => expect(tokens.asked).toHaveLength(3)); // it is looked up again
    await clock.advance(0);
    expect([before.closed, after.closed]).toEqual([revoked, undefined]);
    feed.tell({ tokenId: idOf('ann') });
    expect(after.closed).toEqual(revoked);
  });

  it('end nobody who has come since with the same HTTP session, when that comes back', async () => {
    const feed = new ScriptedFeed();
    feed.publish = async () => undefined;
    const users = new MemoryUserRepository([{ id: 'ann', isAuthenticated: true as const }]);
    const sessions = new MemoryHttpSessionReader({ cookie: 'sessionid' });
    const id = sessions.create('ann');
    await using server = new ChannelServer({ connect: withUserFromHttp({ sessions, users })(() => {}) }, { revocations: feed });
    const connect = () => connectTo(server, { cookies: { sessionid: id } });
    const before = await connect();
    expect(await server.disconnectHttpSession(id)).toBe(1);
    const after = await connect();
    feed.tell({ httpSessionId: id });
    await nextTurn();
    expect([before.closed, after.closed]).toEqual([sessionEnded, undefined]);
    feed.tell({ httpSessionId: id });
    expect(after.closed).toEqual(sessionEnded);
  });

  it('end nobody who has come since, when what was published twice comes back twice', async () => {
    const feed = new ScriptedFeed();
    feed.publish = async () => undefined;
    const { server, tokens, connect, clock } = watch({ revocations: feed });
    tokens.put('ann');
    await server.disconnectUser('ann');
    await server.disconnectUser('ann');
    await clock.advance(50);
    const after = await connect('ann');
    for (let told = 0; told < 2; told += 1) feed.tell({ userId: 'ann' });
    await clock.advance(0);
    expect(after.closed).toBeUndefined();
    feed.tell({ userId: 'ann' });
    expect(after.closed).toEqual(inactive);
  });

  it.each([undefined, null, '', 5, { $ne: null }, ['ann']])('reject %o with a TypeError', async (id) => {
    const { server } = watch();
    for (const ending of [
      server.disconnectUser(id as never),
      server.disconnectToken(id as never),
      server.disconnectHttpSession(id as never),
    ])
      await expect(ending).rejects.toThrow(TypeError);
  });

  it.each([
    ['cannot be published', () => Promise.reject(new Error('the line is dead'))],
    ['is not published in time', () => new Promise<void>(() => undefined)],
  ])('end what is here, then reject, where it %s', async (_what, publish) => {
    const feed = new ScriptedFeed();
    feed.publish = publish;
    const { server, clock, logIn } = watch({ revocations: feed });
    const client = await logIn('ann');
    const rejected = expect(server.disconnectUser('ann')).rejects.toMatchObject({ code: 'ERR_REVOCATION_FEED_FAILED' });
    expect(client.closed).toEqual(inactive);
    await clock.advance(5_000);
    await rejected;
  });
});

it('the socket of a revoked channel is gone within two seconds, though its peer answers nothing', async () => {
  const tokens = new ScriptedTokens();
  tokens.put('ann');
  const disconnect = vi.fn();
  const { port, clock, channels } = await serve({ connect: withUserFromToken({ tokens })(() => undefined), disconnect });
  const client = await WsClient.connect(port, { cookie: `key=${keyOf('ann')}` });
  client.socket.pause();
  await eventually(() => expect(channels.channels.size).toBe(1));
  tokens.revocations.tell({ tokenId: idOf('ann') });
  await clock.advance(2_000);
  await eventually(() => expect(disconnect).toHaveBeenCalledOnce());
  expect(channels.channels.size).toBe(0);
  client.socket.resume();
});
