import { afterEach, describe, expect, it } from 'vitest';
import {
  ChannelServer,
  type ChannelServerOptions,
  container,
  type HasChannelSession,
  REVOCATION_FEED,
  type ReceiveMessage,
  type SessionStore,
  type TokenGrant,
  type TokenRepository,
  tokenIdOf,
  withChannelSession,
  withUserFromToken,
} from '../../../entries/index.js';
import { MemorySessionStore } from '../../../entries/memory.js';
import { connectTo, TestClock } from '../../../entries/testing.js';
import { type Deferred, deferred } from '../../support/deferred.js';
import { type Mode, modes, nextTurn, oneToken, type Served, serve } from '../../support/serving.js';
import { codesOf } from '../../support/site.js';
import { storeWith } from '../../support/store-with.js';
import { waysToFail } from '../../support/ways-to-fail.js';
import { WsClient } from '../../support/ws-client.js';

const key = '4ac18618b19f1f03dc9055a4f13bddc04c0cf8bf';
const cookie = `key=${key}`;
const grant: TokenGrant = { id: tokenIdOf(key), user: { id: 'ann', isAuthenticated: true } };
const user = (findById: TokenRepository['findById']) => withUserFromToken({ tokens: { findById } });

/** A store whose named operations hang until `answering` is settled. */
function hanging(operations: readonly (keyof SessionStore)[], answering: Deferred): { store: SessionStore; kept: MemorySessionStore } {
  const kept = new MemorySessionStore();
  const wait = async (operation: keyof SessionStore): Promise<void> => {
    if (operations.includes(operation)) await answering.promise;
  };
  const store = storeWith(kept, {
    load: (id) => wait('load').then(() => kept.load(id)),
    create: (id, session) => wait('create').then(() => kept.create(id, session)),
    save: (id, session, version) => wait('save').then(() => kept.save(id, session, version)),
  });
  return { store, kept };
}

/** A client whose connect is pending when this resolves, and not over at the deadline less a millisecond. */
async function pending(served: Served, asked: Deferred, options = {}): Promise<WsClient> {
  const connecting = WsClient.connect(served.port, options);
  await asked.promise;
  await served.clock.advance(4_999);
  expect(served.channels.channels.size).toBe(0);
  await served.clock.advance(1);
  return await connecting;
}

async function outcome(client: WsClient, mode: Mode): Promise<unknown> {
  return mode === 'accept' ? (await client.closed()).code : client.refused?.status;
}

/** Nothing changes any more, and nothing is left. */
async function nothingLeft({ channels, clock }: Served): Promise<void> {
  await nextTurn();
  expect(channels.channels.size).toBe(0);
  await channels.close();
  expect(clock.pendingTimers).toBe(0);
}

let disconnects = 0;
const disconnect = (): void => {
  disconnects += 1;
};

afterEach(() => {
  expect(disconnects).toBe(0);
  disconnects = 0;
});

describe.each(modes)('at the deadline of connect (%s)', (mode) => {
  it.each(['resolves', 'rejects'] as const)('a look-up that hangs ends in 503 or 1013, also when it %s late', async (late) => {
    const asked = deferred();
    const answering = deferred<TokenGrant>();
    let connects = 0;
    const connect = user(() => {
      asked.resolve();
      return answering.promise;
    })(() => {
      connects += 1;
    });
    const served = await serve({ connect, disconnect }, { mode });
    const client = await pending(served, asked, { cookie });
    expect(await outcome(client, mode)).toBe(mode === 'accept' ? 1013 : 503);
    if (mode === 'handleUpgrades') expect(Number(client.refused?.headers['retry-after'])).toBeGreaterThan(0);
    if (late === 'resolves') answering.resolve(grant);
    else answering.reject(new Error('late'));
    await nothingLeft(served);
    expect(codesOf(served.errors)).toEqual(['ERR_LOOKUP_TIMEOUT']);
    expect(connects).toBe(0);
  });

  it('a load that hangs ends in 503 or 1013, also when it answers late', async () => {
    const asked = deferred();
    const answering = deferred();
    const { store } = hanging(['load'], answering);
    let connects = 0;
    const connect = user(() => {
      asked.resolve();
      return Promise.resolve(grant);
    })(() => {
      connects += 1;
    });
    const served = await serve({ connect, disconnect }, { mode, session: { store, scope: 'client' } });
    const client = await pending(served, asked, { cookie });
    expect(await outcome(client, mode)).toBe(mode === 'accept' ? 1013 : 503);
    answering.resolve();
    await nothingLeft(served);
    expect(new Set(codesOf(served.errors))).toEqual(new Set(['ERR_SESSION_LOAD_FAILED']));
    expect(connects).toBe(0);
  });

  it('a save that hangs ends in 500 or 1011, and leaves no record when it arrives late', async () => {
    const asked = deferred();
    const answering = deferred();
    const { store, kept } = hanging(['create'], answering);
    const connect = withChannelSession(({ channelSession }) => {
      channelSession.set('hello', 'there');
      asked.resolve();
    });
    const served = await serve({ connect, disconnect }, { mode, session: { store } });
    const client = await pending(served, asked);
    expect(await outcome(client, mode)).toBe(mode === 'accept' ? 1011 : 500);
    answering.resolve();
    await nothingLeft(served);
    expect(new Set(codesOf(served.errors))).toEqual(new Set(['ERR_SESSION_SAVE_FAILED']));
    expect(kept.size).toBe(0);
  });

  it("the application's own handler ends in 408 or 3008, also when it is done late", async () => {
    const asked = deferred();
    const working = deferred();
    const sent: boolean[] = [];
    const served = await serve(
      {
        connect: async ({ channel, signal }) => {
          asked.resolve();
          await working.promise;
          sent.push(channel.send('late'), signal.aborted);
        },
        disconnect,
      },
      { mode },
    );
    const client = await pending(served, asked);
    expect(await outcome(client, mode)).toBe(mode === 'accept' ? 3008 : 408);
    working.resolve();
    await nothingLeft(served);
    expect(sent).toEqual([false, true]);
    expect(client.received).toEqual([]);
    expect(codesOf(served.errors)).toEqual(['ERR_CONNECT_TIMEOUT']);
  });

  it('the same where another client connects and leaves meanwhile', async () => {
    const { tokens, cookie: valid } = await oneToken();
    const asked = deferred();
    const connect = user((id) => {
      if (id !== grant.id) return tokens.findById(id);
      asked.resolve();
      return new Promise(() => undefined);
    })(({ channel, user: { id } }) => void channel.send(String(id)));
    const served = await serve({ connect }, { mode });
    const hung = WsClient.connect(served.port, { cookie });
    await asked.promise;
    const good = await WsClient.connect(served.port, { cookie: valid });
    expect(await good.next()).toBe('ann');
    await good.close();
    await served.clock.advance(5_000);
    expect(await outcome(await hung, mode)).toBe(mode === 'accept' ? 1013 : 503);
  });
});

describe('a store or repository that fails at connect', () => {
  it.each(modes.flatMap((mode) => waysToFail.map(([how, fail]) => ({ mode, how, fail }))))(
    'ends in 503 with Retry-After or 1013, never in an anonymous user, where a look-up $how ($mode)',
    async ({ mode, fail }) => {
      let connects = 0;
      const served = await serve(
        {
          connect: user(fail)(() => {
            connects += 1;
          }),
          disconnect,
        },
        { mode },
      );
      const client = await WsClient.connect(served.port, { cookie });
      expect(await outcome(client, mode)).toBe(mode === 'accept' ? 1013 : 503);
      if (mode === 'handleUpgrades') expect(client.refused?.headers['retry-after']).toMatch(/^\d+$/);
      expect(codesOf(served.errors)).toEqual(['ERR_LOOKUP_FAILED']);
      expect(connects).toBe(0);
      await nothingLeft(served);
    },
  );

  it.each(waysToFail)('ends in 503 where a load %s, in 500 where a save does', async (_how, fail) => {
    const { store: base, kept } = hanging([], deferred());
    for (const [operation, status] of [
      ['load', 503],
      ['create', 500],
    ] as const) {
      const store = { ...base, [operation]: fail };
      const connect = user(() => Promise.resolve(grant))(({ channelSession }) => channelSession.set('a', 1));
      const client = await connectTo(
        { connect, disconnect },
        { session: { store, scope: 'client' }, headers: { cookie }, onError: () => undefined },
      );
      expect(client.refusal).toEqual({ status });
    }
    expect(kept.size).toBe(0);
  });
});

describe('after connect', () => {
  const receive = withChannelSession(({ channelSession, channel, text }: ReceiveMessage & HasChannelSession) => {
    channel.sendJson(channelSession.get('text') ?? null);
    channelSession.set('text', text);
  });

  it('a save that hangs closes with 1011 at the same deadline, and what it would have changed is not seen', async () => {
    const clock = new TestClock();
    const answering = deferred();
    const { store, kept } = hanging(['save'], answering);
    const errors: unknown[] = [];
    const channels = new ChannelServer({ receive }, { clock, session: { store }, onError: (error) => errors.push(error) });
    const client = await connectTo(channels);
    await client.send('first');
    const handled = client.send('second');
    const queued = client.send('third');
    await clock.advance(4_999);
    expect(client.closed).toBeUndefined();
    expect(client.channelSession.get('text')).toBe('first');
    await clock.advance(1);
    await Promise.all([handled, queued]);
    expect(client.closed).toEqual({ code: 1011, reason: 'internal error' });
    expect(client.channelSession.get('text')).toBe('first');
    expect(client.sentJson).toEqual([null, 'first']);
    expect(codesOf(errors)).toEqual(['ERR_SESSION_SAVE_FAILED']);
    answering.resolve();
    await nextTurn();
    expect(kept.size).toBe(0);
    await channels.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('a save that fails is reported and closes with 1011, memory no further than the store', async () => {
    const { store, kept } = hanging([], deferred());
    const errors: unknown[] = [];
    let last: unknown;
    const failing: SessionStore = {
      ...store,
      save: () => Promise.reject(new Error('disk full')),
      destroy: async () => {
        last = 'destroyed';
      },
    };
    const client = await connectTo({ receive }, { session: { store: failing }, onError: (error) => errors.push(error) });
    await client.send('first');
    await client.send('second');
    expect(client.closed?.code).toBe(1011);
    expect(codesOf(errors)).toEqual(['ERR_SESSION_SAVE_FAILED']);
    expect(client.channelSession.get('text')).toBe('first');
    expect(kept.size).toBe(1);
    expect(last).toBe('destroyed');
  });
});

describe('timeoutMs of a contract', () => {
  const build = (timeoutMs: number, options: ChannelServerOptions = {}): ChannelServer =>
    new ChannelServer({ connect: withUserFromToken({ tokens: { timeoutMs, findById: async () => undefined } })(() => undefined) }, options);

  it('must lie below connectTimeoutMs, which is checked when the server is built', () => {
    expect(() => build(4_999)).not.toThrow();
    expect(() => build(5_000)).toThrow(TypeError);
    expect(() => build(5_000)).toThrow(/timeoutMs.*tokens.*connectTimeoutMs/);
    expect(() => build(5_000, { connectTimeoutMs: 5_001 })).not.toThrow();
    expect(() => build(50, { connectTimeoutMs: 50 })).toThrow(TypeError);
  });

  it('is checked on stores too', () => {
    const { store } = hanging([], deferred());
    const slow = { ...store, timeoutMs: 6_000 };
    expect(() => new ChannelServer({ receive: withChannelSession({ store: slow })(() => undefined) })).toThrow(TypeError);
    expect(() => new ChannelServer({ receive: () => undefined }, { session: { store: slow } })).toThrow(TypeError);
  });

  it('is checked on feeds of revocations too, given or registered', () => {
    const revocations = { timeoutMs: 5_000, subscribe: async () => ({ [Symbol.asyncDispose]: async () => undefined }) };
    const registered = container.createChildContainer().register(REVOCATION_FEED, { useValue: revocations });
    expect(() => build(4_999, { revocations })).toThrow(/timeoutMs.*revocations.*connectTimeoutMs/);
    expect(() => build(4_999, { container: registered })).toThrow(/timeoutMs.*revocations.*connectTimeoutMs/);
    expect(() => build(4_999, { revocations, connectTimeoutMs: 5_001 })).not.toThrow();
  });

  it.each([0, -5, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '5000'])('refuses a connectTimeoutMs of %s', (connectTimeoutMs) => {
    expect(() => new ChannelServer({ receive: () => undefined }, { connectTimeoutMs: connectTimeoutMs as number })).toThrow(TypeError);
  });
});
