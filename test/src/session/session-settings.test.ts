import { describe, expect, it } from 'vitest';
import {
  type BaseMessage,
  ChannelServer,
  container,
  type HasChannelSession,
  SESSION_STORE,
  withChannelSession,
  withChannelUser,
  withUserFromToken,
} from '../../../entries/index.js';
import { MemorySessionStore } from '../../../entries/memory.js';
import { connectTo } from '../../../entries/testing.js';
import { aliceKey, expectProcessToLive, makeSite, thrownBy } from '../../support/site.js';

expectProcessToLive();

const nothing = (): void => {};
const change = (message: BaseMessage & HasChannelSession): void => message.channelSession.set('seen', true);
const cookies = { key: aliceKey };

describe('the options of the channel session', () => {
  it.each<[string, object]>([
    ['store', { store: null }],
    ['store', { store: {} }],
    ['ttlMs', { ttlMs: 999 }],
    ['ttlMs', { ttlMs: Number.NaN }],
    ['ttlMs', { ttlMs: Number.POSITIVE_INFINITY }],
    ['ttlMs', { ttlMs: '1000' }],
    ['ttlMs', { ttlMs: 8.64e15 }], // the end of all dates
    ['ttlMs', { ttlMs: Number.MAX_VALUE }],
    ['scope', { scope: 'site' }],
    ['ttl', { ttl: 1_000 }],
  ])('that are wrong in %s are a TypeError that names it', (name, options) => {
    for (const make of [
      () => withChannelSession(options as never),
      () => new ChannelServer({ connect: nothing }, { session: options as never }),
    ]) {
      const error = thrownBy(make);
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toContain(name);
    }
  });

  it.each<[string, object, object]>([
    ['store', { store: new MemorySessionStore() }, { store: new MemorySessionStore() }],
    ['ttlMs', { ttlMs: 1_000 }, { ttlMs: 2_000 }],
    ['scope', { scope: 'client' }, { scope: 'user' }],
    ['scope', { scope: 'channel' }, { scope: 'user' }],
  ])('that disagree in %s are a TypeError when the server is built, wherever they stand', (name, one, other) => {
    const inSlots = () => new ChannelServer({ connect: withChannelSession(one)(nothing), receive: withChannelSession(other)(nothing) });
    const inOneSlot = () => new ChannelServer({ connect: withChannelSession(one)(withChannelSession(other)(nothing)) });
    const withServer = () => new ChannelServer({ connect: withChannelSession(one)(nothing) }, { session: other });
    for (const build of [inSlots, inOneSlot, withServer]) {
      const error = thrownBy(build);
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(new RegExp(`withChannelSession.*${name}`));
    }
  });

  it('say nothing where they are not given: the session that other wrappers bring never disagrees', () => {
    const { store, tokens } = makeSite();
    const connect = withUserFromToken({ tokens })(withChannelSession({ store, scope: 'client' })(nothing));
    const receive = withChannelUser(withChannelSession({ ttlMs: 5_000 })(nothing));
    const disconnect = withChannelSession(nothing);
    expect(() => new ChannelServer({ connect, receive, disconnect }, { session: { store, scope: 'client' } })).not.toThrow();
  });

  it('are gathered of all slots: an option of one counts for the session of all', async () => {
    const { store, tokens, options } = makeSite();
    const handlers = {
      connect: withUserFromToken({ tokens })(change),
      receive: withChannelSession({ store })(nothing),
      disconnect: withChannelSession({ scope: 'client' })(nothing),
    };
    const client = await connectTo(handlers, { ...options, cookies });
    expect(store.size).toBe(1);
    await client.disconnect();
    expect(store.size).toBe(1); // of scope client: it outlives its channel
  });

  it('are copied when the wrapper is made', async () => {
    const { store, options } = makeSite();
    const given = { store, ttlMs: 5_000 };
    const wrap = withChannelSession(given);
    given.store = new MemorySessionStore();
    await connectTo({ connect: wrap(change) }, options);
    expect(store.size).toBe(1);
  });

  it('may come from the server alone', async () => {
    const { store, options } = makeSite();
    await connectTo({ connect: withChannelSession(change) }, { ...options, session: { store } });
    expect(store.size).toBe(1);
  });

  it('take the store from the container where none is given', async () => {
    const { store, options } = makeSite();
    const child = container.createChildContainer();
    child.register(SESSION_STORE, { useValue: store });
    await connectTo({ connect: withChannelSession(change) }, { ...options, container: child });
    expect(store.size).toBe(1);
  });

  it('need no store: sessions then live in the process', async () => {
    const { options, tokens } = makeSite();
    const count = withChannelSession((message) => {
      message.channelSession.update('count', (value) => Number(value ?? 0) + 1);
      message.channel.sendJson(message.channelSession.get('count'));
    });
    const own = await connectTo({ receive: count }, options);
    await own.send('x');
    await own.send('x');
    expect(own.sentJson).toEqual([1, 2]);
    const server = new ChannelServer(
      { connect: withUserFromToken({ tokens })(nothing), receive: count },
      { ...options, session: { scope: 'client' } },
    );
    const first = await connectTo(server, { cookies });
    await first.send('x');
    await first.disconnect();
    const second = await connectTo(server, { cookies });
    await second.send('x');
    expect(second.sentJson).toEqual([2]);
  });
});
