import { setImmediate as nextTurn } from 'node:timers/promises';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import {
  type BaseMessage,
  ChannelError,
  ChannelServer,
  type HasChannelSession,
  type SessionStore,
  withChannelSession,
  withUserFromToken,
} from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { deferred } from '../../support/deferred.js';
import { aliceKey, codesOf, expectProcessToLive, makeSite, type Site } from '../../support/site.js';
import { waysToFail } from '../../support/ways-to-fail.js';

expectProcessToLive();
type Message = BaseMessage & HasChannelSession & { text: string };

const cookies = { key: aliceKey };
const increment = (message: BaseMessage & HasChannelSession): void =>
  message.channelSession.update('count', (count) => Number(count ?? 0) + 1);

/** The calls of each method of a store. */
function spiesOf(store: SessionStore) {
  return {
    load: vi.spyOn(store, 'load'),
    create: vi.spyOn(store, 'create'),
    save: vi.spyOn(store, 'save'),
    touch: vi.spyOn(store, 'touch'),
    destroy: vi.spyOn(store, 'destroy'),
  };
}

function serve(site: Site, receive: (message: Message) => unknown, session: object = {}): ChannelServer {
  const connect = withUserFromToken({ tokens: site.tokens })(() => {});
  return new ChannelServer(
    { connect, receive: withChannelSession(receive as never) },
    { ...site.options, session: { store: site.store, ...session } },
  );
}

describe('the record of a channel', () => {
  it('is created by the first message that changes it, saved by later ones, and destroyed with its channel', async () => {
    const site = makeSite();
    const { load, create, save, destroy } = spiesOf(site.store);
    const client = await connectTo(serve(site, increment), { cookies });
    expect(create).not.toHaveBeenCalled();
    await client.send('1');
    expect(create).toHaveBeenCalledTimes(1);
    expect(create.mock.calls[0]?.[0]).toMatch(/^[0-9a-f]{64}$/);
    await client.send('2');
    expect(save.mock.calls.map(([, { version, data }, expected]) => [version, data, expected])).toEqual([[2, { count: 2 }, 1]]);
    expect(load).not.toHaveBeenCalled();
    await client.disconnect();
    expect(destroy).toHaveBeenCalledTimes(1);
    expect(site.store.size).toBe(0);
  });

  it('does not exist for a channel that never changed it: no create, save, touch or destroy', async () => {
    const site = makeSite();
    const spies = spiesOf(site.store);
    const client = await connectTo(
      serve(site, (message) => message.channelSession.get('count')),
      { cookies },
    );
    expect(client.user.id).toBe('alice'); // identification alone writes nothing
    for (let round = 0; round < 3; round += 1) await client.send('x');
    await site.clock.advance(86_400_000 * 2);
    await client.disconnect();
    for (const spy of Object.values(spies)) expect(spy).not.toHaveBeenCalled();
  });

  it('lives for ttlMs after its last change', async () => {
    const site = makeSite();
    const { create, save } = spiesOf(site.store);
    const client = await connectTo(serve(site, increment, { ttlMs: 60_000 }));
    await client.send('x');
    expect(create.mock.calls[0]?.[1].expiresAt).toEqual(new Date(site.clock.now() + 60_000));
    await site.clock.advance(5_000);
    await client.send('x');
    expect(save.mock.calls[0]?.[1].expiresAt).toEqual(new Date(site.clock.now() + 60_000));
  });

  it('goes when a refused connect had made one', async () => {
    const site = makeSite();
    const connect = withChannelSession((message) => {
      message.channelSession.set('seen', true);
      throw new Error('no');
    });
    const client = await connectTo({ connect }, { ...site.options, session: { store: site.store } });
    expect(client.refusal).toEqual({ status: 500 });
    expect(site.store.size).toBe(0);
  });
});

describe('the changes of one message', () => {
  it('are saved before the next message runs', async () => {
    const site = makeSite();
    const order: string[] = [];
    vi.spyOn(site.store, 'save').mockImplementation(async () => {
      await nextTurn();
      order.push('saved');
    });
    const client = await connectTo(
      serve(site, (message) => {
        order.push(message.text);
        increment(message);
      }),
    );
    await Promise.all([client.send('1'), client.send('2'), client.send('3')]);
    expect(order).toEqual(['1', '2', 'saved', '3', 'saved']);
  });

  it('are not saved where the handler throws after making them: memory and store agree', async () => {
    for (const fail of [
      () => {
        throw new Error('no');
      },
      async () => {
        await Promise.resolve();
        throw new Error('no');
      },
    ]) {
      const site = makeSite();
      const server = serve(
        site,
        (message) => {
          message.channelSession.set('rooms', [message.text]);
          if (message.text === 'bad') return fail();
          return undefined;
        },
        { scope: 'client' },
      );
      const client = await connectTo(server, { cookies });
      await client.send('good');
      await client.send('bad');
      expect(client.closed?.code).toBe(1011);
      expect(client.channelSession.get('rooms')).toEqual(['good']);
      const next = await connectTo(server, { cookies });
      expect(next.channelSession.get('rooms')).toEqual(['good']);
      expect(codesOf(site.errors)).toEqual(['Error']);
    }
  });

  it('are saved together or not at all', async () => {
    const site = makeSite();
    const { create } = spiesOf(site.store);
    const client = await connectTo(
      serve(site, async (message) => {
        message.channelSession.set('a', 1);
        await nextTurn();
        message.channelSession.set('b', 2);
      }),
    );
    await client.send('x');
    expect(create.mock.calls.map(([, { data }]) => data)).toEqual([{ a: 1, b: 2 }]);
  });

  it('are visible in memory only once they are saved: a save that fails closes with 1011 and leaves memory behind it', async () => {
    const site = makeSite();
    const client = await connectTo(serve(site, increment));
    await client.send('1');
    vi.spyOn(site.store, 'save').mockRejectedValue(new Error('disk full'));
    await client.send('2');
    expect(client.closed?.code).toBe(1011);
    expect(client.channelSession.get('count')).toBe(1);
    expect(codesOf(site.errors)).toEqual(['ERR_SESSION_SAVE_FAILED']);
    expect((site.errors[0] as Error).cause).toMatchObject({ message: 'disk full' });
  });

  it('cost no promise and no I/O where there are none', async () => {
    const site = makeSite();
    const client = await connectTo(serve(site, () => 'done'));
    const handle = vi.spyOn(client.channel as never, 'handle');
    await client.send('x');
    expect(handle).toHaveReturnedWith(true); // done at once
  });
});

describe('a hundred messages at once, each an async increment', () => {
  it('are counted exactly, in order', async () => {
    const site = makeSite();
    const client = await connectTo(
      serve(site, async (message) => {
        await Promise.resolve();
        const count = Number(message.channelSession.get('count') ?? 0);
        await nextTurn();
        message.channelSession.set('count', count + 1);
        message.channel.sendJson([message.text, count + 1]);
      }),
    );
    await Promise.all(Array.from({ length: 100 }, (_, index) => client.send(String(index))));
    expect(client.sentJson).toEqual(Array.from({ length: 100 }, (_, index) => [String(index), index + 1]));
    expect(client.channelSession.get('count')).toBe(100);
  });

  it('are none lost with update() where they run at once', async () => {
    const site = makeSite();
    const receive = withChannelSession(async (message) => {
      await nextTurn();
      increment(message);
    });
    const client = await connectTo({ receive }, { ...site.options, session: { store: site.store }, concurrency: 10 });
    await Promise.all(Array.from({ length: 100 }, () => client.send('x')));
    expect(client.channelSession.get('count')).toBe(100);
    expect(site.errors).toEqual([]);
  });
});

describe('a destroyed session', () => {
  it('stays destroyed: the save that meets it is ERR_SESSION_GONE and brings nothing back', async () => {
    const site = makeSite();
    const { create } = spiesOf(site.store);
    const server = serve(site, increment, { scope: 'client' });
    const client = await connectTo(server, { cookies });
    await client.send('1');
    await site.store.destroy(create.mock.calls[0]?.[0] as string);
    await client.send('2');
    expect(client.closed?.code).toBe(1011);
    expect(codesOf(site.errors)).toEqual(['ERR_SESSION_GONE']);
    expect(site.store.size).toBe(0);
    await client.disconnect();
    expect(site.store.size).toBe(0);
  });

  it('that a save finds gone only when it looks what came before it is told as gone at once, and not as a conflict', async () => {
    const site = makeSite();
    const { create, save } = spiesOf(site.store);
    const told: string[] = [];
    const receive = withChannelSession(increment);
    const session = { store: site.store };
    const server = new ChannelServer({ receive }, { ...site.options, session, onEvent: ({ type }) => void told.push(type) });
    const client = await connectTo(server);
    await client.send('1');
    save.mockImplementationOnce(async () => {
      await site.store.destroy(create.mock.calls[0]?.[0] as string);
      throw new ChannelError('ERR_SESSION_CONFLICT', 'Somebody came first.');
    });
    await client.send('2');
    expect(codesOf(site.errors)).toEqual(['ERR_SESSION_GONE']);
    expect(told).not.toContain('conflict');
  });

  it('of a channel is not brought back by a message that is still running when the channel ends', async () => {
    const site = makeSite();
    const gate = deferred();
    const server = serve(site, async (message) => {
      increment(message);
      if (message.text === 'slow') await gate.promise;
    });
    const client = await connectTo(server);
    await client.send('1');
    const slow = client.send('slow');
    const gone = client.disconnect();
    gate.resolve();
    await Promise.all([slow, gone]);
    expect(site.store.size).toBe(0);
  });
});

describe('a store that is slow', () => {
  it('and creates a record after its channel is gone has it removed', async () => {
    const site = makeSite();
    const gate = deferred();
    const create = site.store.create.bind(site.store);
    vi.spyOn(site.store, 'create').mockImplementation((...args) => gate.promise.then(() => create(...args)));
    const client = await connectTo(serve(site, increment));
    const sent = client.send('x');
    await site.clock.advance(5_000);
    await sent;
    expect(client.closed?.code).toBe(1011);
    expect(codesOf(site.errors)).toEqual(['ERR_SESSION_SAVE_FAILED']);
    gate.resolve();
    await site.clock.advance(0);
    expect(site.store.size).toBe(0);
  });

  it('and never answers a load refuses with 503 at the deadline; a late answer does nothing', async () => {
    const site = makeSite();
    const answer = deferred<undefined>();
    vi.spyOn(site.store, 'load').mockReturnValue(answer.promise);
    const server = serve(site, increment, { scope: 'client' });
    const connecting = connectTo(server, { cookies });
    await site.clock.advance(5_000);
    const client = await connecting;
    expect(client.refusal).toEqual({ status: 503 });
    expect(codesOf(site.errors)).toEqual(['ERR_SESSION_LOAD_FAILED']);
    answer.resolve(undefined);
    await site.clock.advance(0);
    expect(server.channels.size).toBe(0);
    expect(site.clock.pendingTimers).toBe(0);
  });

  it.each(waysToFail)('or %s when it loads refuses with 503', async (_name, load) => {
    const site = makeSite();
    vi.spyOn(site.store, 'load').mockImplementation(load as never);
    const client = await connectTo(serve(site, increment, { scope: 'client' }), { cookies });
    expect(client.refusal).toEqual({ status: 503 });
    expect(codesOf(site.errors)).toEqual(['ERR_SESSION_LOAD_FAILED']);
  });

  it('or fails to destroy is reported, and the channel ends all the same', async () => {
    const site = makeSite();
    vi.spyOn(site.store, 'destroy').mockRejectedValue(new Error('down'));
    const client = await connectTo(serve(site, increment));
    await client.send('x');
    await client.disconnect();
    expect(codesOf(site.errors)).toEqual(['ERR_SESSION_SAVE_FAILED']);
  });

  it('or fails to destroy for many at once is reported once, with how many they are', async () => {
    const site = makeSite();
    const boom = new Error('down');
    vi.spyOn(site.store, 'destroy').mockRejectedValue(boom);
    const server = serve(site, increment);
    const clients = await Promise.all(Array.from({ length: 100 }, () => connectTo(server)));
    for (const client of clients) await client.send('x');
    await server.close();
    expect(codesOf(site.errors)).toEqual(['ERR_SESSION_SAVE_FAILED']);
    expect((site.errors[0] as Error).message).toMatch('100');
    expect((site.errors[0] as Error).cause).toMatchObject({ cause: boom });
  });
});

describe('a stored record that is not ours', () => {
  const moment = new Date(Date.UTC(2027, 0));
  const good = { version: 1, data: { count: 1 }, createdAt: moment, expiresAt: moment };

  it.each<[string, unknown]>([
    ['has no version', { ...good, version: undefined }],
    ['has a version of another type', { ...good, version: '1' }],
    ['has version 0', { ...good, version: 0 }],
    ['has no data', { ...good, data: undefined }],
    ['has a list for data', { ...good, data: [] }],
    ['has text for data', { ...good, data: 'text' }],
    ['has null for data', { ...good, data: null }],
    ['has data that is no JSON', { ...good, data: { at: new Date() } }],
    ['has no dates', { version: 1, data: {} }],
    ['was created at no valid date', { ...good, createdAt: new Date(Number.NaN) }],
    ['expires at no valid date', { ...good, expiresAt: new Date(Number.NaN) }],
    ['has a date of another type', { ...good, expiresAt: moment.getTime() }],
    ['is a string', 'session'],
    ['is another program’s', { _id: 1, cookie: { maxAge: 1 } }],
    ['is empty', {}],
  ])('since it %s is treated as absent and reported, and the first write replaces it', async (_name, stored) => {
    const site = makeSite();
    const load = vi.spyOn(site.store, 'load').mockResolvedValueOnce(stored as never);
    const server = serve(site, increment, { scope: 'client' });
    const client = await connectTo(server, { cookies });
    expect(client.refusal).toBeUndefined();
    expect(codesOf(site.errors)).toEqual(['ERR_SESSION_CORRUPT']);
    expect((site.errors[0] as Error).cause).toBeInstanceOf(TypeError);
    expect(client.channelSession.get('count')).toBeUndefined();
    await client.send('x');
    expect(client.channelSession.get('count')).toBe(1);
    const next = await connectTo(server, { cookies });
    expect(load).toHaveBeenCalledTimes(2);
    expect(next.channelSession.get('count')).toBe(1);
  });

  it('is not one whose dates and data are of another realm, as some test runners give them', async () => {
    const site = makeSite();
    const stored: unknown = runInNewContext(
      '({ version: 1, data: { count: 4 }, createdAt: new Date(moment), expiresAt: new Date(moment) })',
      {
        moment: moment.getTime(),
      },
    );
    vi.spyOn(site.store, 'load').mockResolvedValueOnce(stored as never);
    const client = await connectTo(serve(site, increment, { scope: 'client' }), { cookies });
    expect(client.channelSession.get('count')).toBe(4);
    expect(site.errors).toEqual([]);
  });

  it('is told of once, however many come to it', async () => {
    const site = makeSite();
    vi.spyOn(site.store, 'load').mockResolvedValue({ ...good, expiresAt: new Date(Number.NaN) });
    const server = serve(site, increment, { scope: 'client' });
    for (let count = 0; count < 3; count += 1) await connectTo(server, { cookies });
    expect(codesOf(site.errors)).toEqual(['ERR_SESSION_CORRUPT']);
  });

  it('is removed where it refuses to be replaced, and not before it was looked at again', async () => {
    const site = makeSite();
    const { load, create, destroy } = spiesOf(site.store);
    load.mockResolvedValue({ ...good, expiresAt: new Date(Number.NaN) });
    create.mockRejectedValueOnce(new ChannelError('ERR_SESSION_CONFLICT', 'There is one.'));
    const client = await connectTo(serve(site, increment, { scope: 'client' }), { cookies });
    await client.send('x');
    expect([load.mock.calls.length, destroy.mock.calls.length, create.mock.calls.length]).toEqual([2, 1, 2]);
    expect(client.channelSession.get('count')).toBe(1);
    expect(codesOf(site.errors)).toEqual(['ERR_SESSION_CORRUPT']);
  });

  it('is left alone where another process has replaced it meanwhile', async () => {
    const site = makeSite();
    const server = () => serve(site, increment, { scope: 'client' });
    vi.spyOn(site.store, 'load').mockResolvedValueOnce({ ...good, expiresAt: new Date(Number.NaN) });
    const client = await connectTo(server(), { cookies });
    await (await connectTo(server(), { cookies })).send('x');
    await client.send('x');
    expect(client.channelSession.get('count')).toBe(2);
  });

  it.each(['{"__proto__":{"admin":true}}', '{"constructor":{"prototype":{"admin":true}}}', '{"toString":{"admin":true}}'])(
    'but holds %s pollutes nothing',
    async (json) => {
      const site = makeSite();
      vi.spyOn(site.store, 'load').mockResolvedValueOnce({ ...good, data: JSON.parse(json) });
      const server = serve(site, (message) => message.channel.sendJson(message.channelSession), { scope: 'client' });
      const client = await connectTo(server, { cookies });
      await client.send('x');
      expect(client.sent).toEqual([json]);
      expect(({} as { admin?: unknown }).admin).toBeUndefined();
    },
  );
});

describe('reload()', () => {
  it('drops the message’s own changes and reads what others saved', async () => {
    const site = makeSite();
    const server = serve(
      site,
      async (message) => {
        if (message.text === 'write') return increment(message);
        message.channelSession.set('mine', true);
        await message.channelSession.reload();
        message.channel.sendJson(message.channelSession);
      },
      { scope: 'user' },
    );
    const [one, other] = [await connectTo(server, { cookies }), await connectTo(server, { cookies })];
    await one.send('write');
    await other.send('read');
    expect(other.sentJson).toEqual([{ count: 1 }]);
  });

  it('reads what was done to the record of a single channel, too, from its first version on', async () => {
    const site = makeSite();
    const { create } = spiesOf(site.store);
    const server = serve(site, async (message) => {
      if (message.text === 'write') return increment(message);
      await message.channelSession.reload();
      message.channel.sendJson(message.channelSession);
    });
    const client = await connectTo(server, { cookies });
    await client.send('write');
    const [id, record] = create.mock.calls[0] as Parameters<SessionStore['create']>;
    await site.store.save(id, { ...record, version: 2, data: { count: 5 } }, 1);
    await client.send('read');
    expect(client.sentJson).toEqual([{ count: 5 }]);
  });

  it('costs nothing where there is no record', async () => {
    const site = makeSite();
    const { load } = spiesOf(site.store);
    const client = await connectTo(serve(site, (message) => message.channelSession.reload()));
    await client.send('x');
    expect(client.closed).toBeUndefined();
    expect(load).not.toHaveBeenCalled();
  });

  it('rejects with ERR_SESSION_LOAD_FAILED where the store fails', async () => {
    const site = makeSite();
    const caught: unknown[] = [];
    const server = serve(site, (message) => message.channelSession.reload().catch((error: unknown) => void caught.push(error)), {
      scope: 'client',
    });
    const client = await connectTo(server, { cookies });
    vi.spyOn(site.store, 'load').mockRejectedValue(new Error('down'));
    await client.send('x');
    expect(caught[0]).toBeInstanceOf(ChannelError);
    expect(codesOf(caught)).toEqual(['ERR_SESSION_LOAD_FAILED']);
  });
});

it('a session is kept in a store that answers without promises, and goes with its channel', async () => {
  const site = makeSite();
  const kept = new Map<string, unknown>();
  const put = (id: string, session: unknown): void => void kept.set(id, session);
  const store = {
    load: (id: string) => kept.get(id),
    create: put,
    save: put,
    touch: () => {},
    destroy: (id: string) => void kept.delete(id),
  };
  const client = await connectTo(serve(site, increment, { store }));
  await client.send('x');
  await client.send('x');
  expect([...kept.values()]).toMatchObject([{ version: 2, data: { count: 2 } }]);
  await client.disconnect();
  expect([kept.size, site.errors]).toEqual([0, []]);
});
