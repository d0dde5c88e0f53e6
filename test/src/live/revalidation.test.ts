import { describe, expect, it, vi } from 'vitest';
import {
  ChannelServer,
  compose,
  type HasUser,
  type HttpSessionReader,
  type ReceiveMessage,
  type Revalidate,
  type TokenGrant,
  type TokenId,
  withChannelSession,
  withUserFromHttp,
  withUserFromToken,
} from '../../../entries/index.js';
import { MemoryHttpSessionReader, MemoryUserRepository } from '../../../entries/memory.js';
import { connectTo, TestClock } from '../../../entries/testing.js';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { codesOf, endingInSilence, thrownBy } from '../../support/site.js';
import { idOf, inactive, keyOf, revoked, ScriptedTokens, sessionEnded, stale, watch } from './watched.js';

describe('a sweep', () => {
  it('comes each minute, asks for each token once in one batch, and ends who counts no more', async () => {
    const { tokens, connect, clock } = watch();
    for (const name of ['ann', 'bob', 'eve']) tokens.put(name);
    const clients = await Promise.all(['ann', 'ann', 'bob', 'eve'].map(connect));
    tokens.asked.length = 0;
    await clock.advance(60_000);
    expect(tokens.asked).toEqual([['ann', 'bob', 'eve'].map(idOf)]);
    tokens.grants.delete(idOf('ann'));
    tokens.put('bob', { user: undefined });
    await clock.advance(60_000);
    expect(clients.map(({ closed }) => closed)).toEqual([revoked, revoked, inactive, undefined]);
    await clock.advance(60_000);
    expect(tokens.asked.slice(2)).toEqual([[idOf('eve')]]);
  });

  it('whose answer comes after that of a later question changes nothing, whatever it says', async () => {
    const tokens = new ScriptedTokens();
    const { connect, clock, server } = watch({ tokens });
    const [ann, bob] = [tokens.put('ann'), tokens.put('bob')];
    const clients = await Promise.all(['ann', 'bob'].map(connect));
    const answers: ((found: ReadonlyMap<TokenId, TokenGrant>) => void)[] = [];
    tokens.findByIds = () => new Promise((resolve) => answers.push(resolve));
    await clock.advance(60_000);
    for (const userId of ['ann', 'bob']) tokens.revocations.tell({ userId, hint: true });
    await clock.advance(0);
    expect(answers.length).toBe(2);
    const user = { id: 'ann', isAuthenticated: true as const };
    const renamed = { id: 'ann', isAuthenticated: true as const, name: 'Anna' };
    answers[1]?.(new Map([...tokens.grants, [ann, { id: ann, user: renamed }]]));
    await clock.advance(0);
    answers[0]?.(new Map([[ann, { id: ann, user }]])); // in which bob's token is not there yet
    await clock.advance(0);
    expect(server.channels.ofToken(ann).map((channel) => channel.user)).toEqual([renamed]);
    expect(server.channels.ofToken(bob).length).toBe(1);
    expect(clients.map(({ closed }) => closed)).toEqual([undefined, undefined]);
  });

  it('of more than five thousand channels asks twice', async () => {
    const { tokens, connect, clock } = watch();
    for (let index = 0; index < 5_100; index += 1) tokens.put(`user${index}`);
    await Promise.all(Array.from({ length: 5_100 }, (_, index) => connect(`user${index}`)));
    tokens.asked.length = 0;
    await clock.advance(60_000);
    await eventually(() => expect(tokens.asked.map(({ length }) => length)).toEqual([5_000, 100]));
  });

  it('comes as often as the wrapper says, or the server', async () => {
    const often: Revalidate = { everyMs: 1_000 };
    const tokens = new ScriptedTokens();
    tokens.put('ann');
    const clock = new TestClock();
    for (const [wrapper, server] of [
      [often, 'connect'],
      [undefined, often],
    ] as const) {
      const channels = new ChannelServer(
        { connect: withUserFromToken({ tokens, revalidate: wrapper })(() => undefined) },
        { clock, revalidate: server },
      );
      const client = await connectTo(channels, { cookies: { key: keyOf('ann') } });
      tokens.asked.length = 0;
      await clock.advance(5_000);
      expect(tokens.asked).toHaveLength(5);
      await client.disconnect();
      expect(clock.pendingTimers).toBe(0);
    }
  });

  it.each<[Revalidate, Revalidate, asked: number]>([
    ['connect', { everyMs: 1_000 }, 5],
    [{ everyMs: 5_000 }, { everyMs: 1_000 }, 5],
    ['connect', 'message', 0],
    [{ everyMs: 1_000 }, 'message', 0],
  ])('comes as often as the stricter of two slots says: %j, %j', async (lax, strict, asked) => {
    for (const [ofConnect, ofReceive] of [
      [lax, strict],
      [strict, lax],
    ]) {
      const [tokens, clock] = [new ScriptedTokens(), new TestClock()];
      tokens.put('ann');
      const wrapped = (revalidate: Revalidate | undefined) => withUserFromToken({ tokens, revalidate })(() => undefined);
      const client = await connectTo(
        { connect: wrapped(ofConnect), receive: wrapped(ofReceive) },
        { clock, cookies: { key: keyOf('ann') } },
      );
      tokens.asked.length = 0;
      await clock.advance(5_000);
      expect(tokens.asked).toHaveLength(asked);
      await client.send('x');
      expect(tokens.asked).toHaveLength(strict === 'message' ? 1 : asked);
      await client.disconnect();
    }
  });

  it('comes again for who comes after all had left, though others stayed who are asked for nothing', async () => {
    const { tokens, connect, clock } = watch();
    for (const name of ['ann', 'bob']) tokens.put(name);
    const anonymous = await connect('nobody');
    await (await connect('ann')).disconnect();
    await clock.advance(60_000);
    const bob = await connect('bob');
    tokens.grants.clear();
    await clock.advance(60_000);
    expect([anonymous.closed, bob.closed]).toEqual([undefined, revoked]);
  });

  it('comes as often as a wrapper says that the server cannot see', async () => {
    const tokens = new ScriptedTokens();
    tokens.put('ann');
    const clock = new TestClock();
    const hidden = withUserFromToken({ tokens, revalidate: { everyMs: 1_000 } })(() => undefined);
    const channels = new ChannelServer({ connect: (message) => hidden(message) }, { clock });
    const client = await connectTo(channels, { cookies: { key: keyOf('ann') } });
    await clock.advance(0); // only now its repository is listened to, and who was looked up before is looked up again
    tokens.asked.length = 0;
    await clock.advance(5_000);
    expect(tokens.asked).toHaveLength(5);
    await client.disconnect();
    expect(clock.pendingTimers).toBe(0);
  });

  it('never comes where it is said so', async () => {
    const { tokens, clock, logIn } = watch({ revalidate: 'connect' });
    await logIn('ann');
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(86_400_000);
    expect(tokens.asked).toHaveLength(1);
  });

  it('without batches has eight look-ups under way at most, and spreads them over its interval', async () => {
    const tokens = new ScriptedTokens(false);
    const { clock, logIn } = watch({ tokens });
    const names = Array.from({ length: 24 }, (_, index) => `user${index}`);
    const clients = await Promise.all(names.map((name) => logIn(name)));
    tokens.asked.length = 0;
    tokens.grants.delete(idOf('user23'));
    await clock.advance(60_000);
    expect(tokens.asked).toHaveLength(8);
    await clock.advance(20_000);
    expect(tokens.asked).toHaveLength(16);
    await clock.advance(20_000);
    expect(tokens.asked).toHaveLength(24);
    expect(clients.map(({ closed }) => closed).filter((closed) => closed !== undefined)).toEqual([revoked]);
  });

  it('without batches judges whoever is answered for, though the look-up of another hangs', async () => {
    const tokens = new ScriptedTokens(false);
    const { connect, clock } = watch({ tokens });
    for (const name of ['ann', 'bob']) tokens.put(name);
    const [ann, bob] = await Promise.all(['ann', 'bob'].map(connect));
    tokens.grants.clear();
    const [findById, slow] = [tokens.findById.bind(tokens), deferred()];
    tokens.findById = async (id) => {
      if (id === idOf('ann')) await slow.promise;
      return findById(id);
    };
    await clock.advance(60_000);
    expect([ann?.closed, bob?.closed]).toEqual([undefined, revoked]);
    slow.resolve();
    await eventually(() => expect(ann?.closed).toEqual(revoked));
  });

  it('takes an answer that is none for one of that channel alone', async () => {
    const { tokens, connect, clock, errors } = watch();
    for (const name of ['ann', 'bob']) tokens.put(name);
    const clients = [await connect('ann'), await connect('bob')];
    tokens.grants.set(idOf('ann'), { id: idOf('ann'), user: { id: 5, isAuthenticated: true } as never });
    tokens.grants.delete(idOf('bob'));
    await clock.advance(60_000);
    expect(clients.map(({ closed }) => closed)).toEqual([undefined, revoked]);
    expect(codesOf(errors)).toEqual(['ERR_LOOKUP_FAILED']);
  });

  it('ends a channel whose token is somebody else’s now', async () => {
    const { tokens, clock, logIn } = watch();
    const client = await logIn('ann');
    tokens.put('bob', {}, 'ann');
    await clock.advance(60_000);
    expect(client.closed).toEqual(revoked);
  });

  it('sees a revocation though the wall clock was set back', async () => {
    const { tokens, clock, logIn } = watch();
    const client = await logIn('ann');
    tokens.put('ann', { revokedAt: new Date(clock.now()) });
    clock.jump(-3_600_000);
    await clock.advance(60_000);
    expect(client.closed).toEqual(revoked);
  });

  it('reads HTTP sessions again, and ends those that are gone, or whose user is', async () => {
    const clock = new TestClock();
    const sessions = endingInSilence(new MemoryHttpSessionReader({ clock }));
    const users = new MemoryUserRepository(['ann', 'bob', 'eve'].map((id) => ({ id, isAuthenticated: true as const })));
    const server = new ChannelServer({ connect: withUserFromHttp({ sessions, users })(() => undefined) }, { clock });
    const ids = ['ann', 'bob', 'eve'].map((id) => sessions.create(id));
    const clients = await Promise.all(ids.map((sessionid) => connectTo(server, { cookies: { sessionid } })));
    const reading = vi.spyOn(sessions, 'readByIds');
    const finding = vi.spyOn(users, 'findByIds');
    sessions.destroy(ids[0] as string);
    users.delete('bob');
    await clock.advance(60_000);
    expect(clients.map(({ closed }) => closed)).toEqual([sessionEnded, inactive, undefined]);
    expect([reading.mock.calls.length, finding.mock.calls.length]).toEqual([1, 1]);
    await server.close();
  });
});

describe('HTTP sessions that can be read one at a time only', () => {
  it('are read again all the same, and those that are gone end their channels', async () => {
    const clock = new TestClock();
    const sessions = endingInSilence(new MemoryHttpSessionReader({ clock }));
    const users = new MemoryUserRepository(['ann', 'eve'].map((id) => ({ id, isAuthenticated: true as const })));
    const reader: HttpSessionReader = { read: (request) => sessions.read(request), readById: (id) => sessions.readById(id) };
    const server = new ChannelServer({ connect: withUserFromHttp({ sessions: reader, users })(() => undefined) }, { clock });
    const ids = ['ann', 'eve'].map((id) => sessions.create(id));
    const clients = await Promise.all(ids.map((sessionid) => connectTo(server, { cookies: { sessionid } })));
    sessions.destroy(ids[0] as string);
    await clock.advance(120_000);
    expect(clients.map(({ closed }) => closed)).toEqual([sessionEnded, undefined]);
    await server.close();
  });
});

describe('users that can be asked for one at a time only', () => {
  it('are asked for by eight look-ups at most, spread over the interval, though their sessions can be read in a batch', async () => {
    const clock = new TestClock();
    const sessions = new MemoryHttpSessionReader({ clock });
    const asked: string[] = [];
    const users = {
      async findById(id: string) {
        asked.push(id);
        return { id, isAuthenticated: true as const };
      },
    };
    const server = new ChannelServer({ connect: withUserFromHttp({ sessions, users })(() => undefined) }, { clock });
    const names = Array.from({ length: 24 }, (_, index) => `user${index}`);
    await Promise.all(names.map((name) => connectTo(server, { cookies: { sessionid: sessions.create(name) } })));
    asked.length = 0;
    const counts: number[] = [];
    for (const ms of [60_000, 20_000, 20_000]) {
      await clock.advance(ms);
      counts.push(asked.length);
    }
    expect(counts).toEqual([8, 16, 24]);
    await server.close();
  });
});

it('a sweep of look-ups one at a time is over before the next is due, though each takes a while', async () => {
  const tokens = new ScriptedTokens(false);
  const { clock, logIn } = watch({ tokens });
  const names = Array.from({ length: 80 }, (_, index) => `user${index}`);
  await Promise.all(names.map((name) => logIn(name)));
  const findById = tokens.findById.bind(tokens);
  tokens.findById = async (id) => {
    await new Promise<void>((resolve) => clock.setTimer(resolve, 1_000));
    return findById(id);
  };
  tokens.asked.length = 0;
  for (const ms of [60_000, 60_000, 60_000, 59_000]) await clock.advance(ms);
  expect(tokens.asked.length).toBe(3 * names.length);
});

describe("with 'message'", () => {
  const handlers = (handled: string[]) => ({
    receive: (message: ReceiveMessage): void => void handled.push(`${message.channel.user.id} ${message.text}`),
  });

  it('each message is handled after a look-up, and none where that finds the token revoked', async () => {
    const handled: string[] = [];
    const { tokens, logIn } = watch({ revalidate: 'message', handlers: handlers(handled) });
    const client = await logIn('ann');
    await client.send('one');
    await client.send('two');
    expect(tokens.asked).toHaveLength(3);
    tokens.grants.clear();
    await client.send('three');
    expect(handled).toEqual(['ann one', 'ann two']);
    expect(client.closed).toEqual(revoked);
  });

  it('channels of one token that send at once share one look-up, and several tokens one batch', async () => {
    const handled: string[] = [];
    const { tokens, connect } = watch({ revalidate: 'message', handlers: handlers(handled) });
    tokens.put('ann');
    tokens.put('bob');
    const clients = await Promise.all(['ann', 'ann', 'bob', 'ann'].map(connect));
    tokens.asked.length = 0;
    const answering = deferred();
    tokens.answers = answering.promise;
    const sending = clients.map((client) => client.send('hello'));
    await eventually(() => expect(tokens.asked).toHaveLength(1));
    answering.resolve();
    await Promise.all(sending);
    expect(tokens.asked).toEqual([[idOf('ann'), idOf('bob')]]);
    expect(handled).toHaveLength(4);
  });

  it('channels of one token that send at once are all judged by that look-up', async () => {
    const handled: string[] = [];
    const { tokens, connect } = watch({ revalidate: 'message', handlers: handlers(handled) });
    tokens.put('ann');
    const clients = await Promise.all(['ann', 'ann', 'ann'].map(connect));
    tokens.grants.clear();
    await Promise.all(clients.map((client) => client.send('hello')));
    expect(clients.map(({ closed }) => closed)).toEqual([revoked, revoked, revoked]);
    expect(handled).toEqual([]);
  });

  it('messages are handled on what was known where the look-up fails, while it may be stale', async () => {
    const handled: string[] = [];
    const { tokens, clock, logIn } = watch({ revalidate: 'message', maxStaleMs: 10_000, handlers: handlers(handled) });
    const client = await logIn('ann');
    tokens.fails(true);
    await client.send('one');
    await clock.advance(9_999);
    expect(client.closed).toBeUndefined();
    await clock.advance(1);
    expect(handled).toEqual(['ann one']);
    expect(client.closed).toEqual(stale);
  });

  it('those who are silent are found by a sweep', async () => {
    const { tokens, clock, logIn } = watch({ revalidate: 'message' });
    const client = await logIn('ann');
    tokens.grants.clear();
    await clock.advance(60_000);
    expect(client.closed).toEqual(revoked);
  });

  it('it is enough that a wrapper of receive says so', async () => {
    const tokens = new ScriptedTokens();
    tokens.put('ann');
    const server = new ChannelServer({
      connect: withUserFromToken({ tokens })(() => undefined),
      receive: compose(
        withUserFromToken({ tokens, revalidate: 'message' }),
        withChannelSession,
      )((_message: ReceiveMessage & HasUser) => undefined),
    });
    const client = await connectTo(server, { cookies: { key: keyOf('ann') } });
    tokens.grants.clear();
    await client.send('one');
    expect(client.closed).toEqual(revoked);
    await server.close();
  });

  it('anonymous channels are asked for nothing', async () => {
    const handled: string[] = [];
    const { tokens, connect } = watch({ revalidate: 'message', handlers: handlers(handled) });
    const client = await connect('nobody');
    tokens.asked.length = 0;
    await client.send('hello');
    expect(handled).toEqual(['null hello']);
    expect(tokens.asked).toEqual([]);
  });
});

it.each([null, 'never', 5, {}, { everyMs: 0 }, { everyMs: Number.NaN }, { everyMs: 2 ** 31 }, { everyMs: 5, more: 1 }, []])(
  'revalidate: %o is a TypeError of server and wrapper',
  (revalidate) => {
    expect(thrownBy(() => new ChannelServer({ receive: () => undefined }, { revalidate: revalidate as never }))).toBeInstanceOf(TypeError);
    expect(thrownBy(() => withUserFromToken({ revalidate: revalidate as never }))).toBeInstanceOf(TypeError);
    expect(thrownBy(() => withUserFromHttp({ revalidate: revalidate as never }))).toBeInstanceOf(TypeError);
  },
);

it.each([
  { maxStaleMs: -1 },
  { maxStaleMs: Number.NaN },
  { maxStaleMs: '5' },
  { onExpiring: true },
  { revocations: {} },
  { revocations: null },
])('the option %o is a TypeError', (options) => {
  expect(thrownBy(() => new ChannelServer({ receive: () => undefined }, options as never))).toBeInstanceOf(TypeError);
});
