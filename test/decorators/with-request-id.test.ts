import { describe, expect, it } from 'vitest';
import {
  ChannelServer,
  type ChannelServerOptions,
  ClientError,
  compose,
  dispatchOn,
  type SessionStore,
  withChannelSession,
  withJson,
  withRequestId,
  withUserFromToken,
} from '../../entries/index.js';
import { MemorySessionStore, MemoryTokenRepository, MemoryUserRepository } from '../../entries/memory.js';
import { connectTo, type TestClient, TestClock } from '../../entries/testing.js';
import { collectGarbage } from '../support/collect-garbage.js';
import { deferred } from '../support/deferred.js';
import { storeWith } from '../support/store-with.js';

const key = 'a'.repeat(40);

/** A server whose sessions belong to the token of `key`, which all clients have. */
function serverFor(
  receive: ReturnType<typeof counting>['receive'],
  store: SessionStore = new MemorySessionStore(),
  options: ChannelServerOptions = {},
): ChannelServer {
  const tokens = new MemoryTokenRepository({ users: new MemoryUserRepository([{ id: 'ann', isAuthenticated: true }]) });
  tokens.add(key, 'ann');
  return new ChannelServer(
    { connect: withUserFromToken({ tokens })(() => undefined), receive },
    { session: { store, scope: 'client' }, onError: () => undefined, ...options },
  );
}

function counting(options = {}, work: (count: number) => unknown = (count) => ({ count })) {
  const handled: (string | undefined)[] = [];
  const receive = withRequestId(options)((message) => {
    handled.push(message.requestId);
    return work(handled.length);
  });
  return { handled, receive };
}

const join = (server: ChannelServer): Promise<TestClient> => connectTo(server, { cookies: { key } });
const ask = (client: TestClient, requestId: unknown, more = {}): Promise<void> => client.sendJson({ ...more, requestId });

describe('withRequestId', () => {
  it('answers a numbered message with what its handler returns, or resolves to', async () => {
    const { receive } = counting({}, (count) => (count === 1 ? { a: 1 } : Promise.resolve('later')));
    const client = await join(serverFor(receive));
    await ask(client, 'r-1');
    await ask(client, 'r-2');
    expect(client.sentJson).toEqual([
      { requestId: 'r-1', result: { a: 1 } },
      { requestId: 'r-2', result: 'later' },
    ]);
  });

  it.each([[null], [{ answers: [] }], ['r-1'], [['r-1']], [[['r-1', 'x']]], [['r-1', 7]]])(
    'handles and answers numbered messages where another version has left %j for its answers',
    async (left) => {
      const handled: unknown[] = [];
      const receive = withRequestId(({ channelSession, requestId }) => {
        handled.push(requestId);
        if (requestId === undefined) channelSession.set('ws-with.answers', left);
        return handled.length;
      });
      const client = await join(serverFor(receive));
      await client.send('leave it');
      for (const id of ['r-1', 'r-1', 'r-2']) await ask(client, id);
      expect(handled).toEqual([undefined, 'r-1', 'r-2']);
      expect(client.sentJson.slice(-3)).toEqual([2, 2, 3].map((result, index) => ({ requestId: ['r-1', 'r-1', 'r-2'][index], result })));
    },
  );

  it('answers a number that comes again from what it answered then, on a new connection too, and does not handle it again', async () => {
    const { handled, receive } = counting();
    const server = serverFor(receive);
    const first = await join(server);
    await ask(first, 'r-1');
    await ask(first, 'r-1');
    await first.disconnect();
    const second = await join(server);
    await ask(second, 'r-1');
    expect(handled).toEqual(['r-1']);
    expect([...first.sentJson, ...second.sentJson]).toEqual(Array(3).fill({ requestId: 'r-1', result: { count: 1 } }));
  });

  it('handles a number once where it comes on two channels at the same time', async () => {
    const gate = deferred();
    const { handled, receive } = counting({}, async (count) => {
      await gate.promise;
      return count;
    });
    const server = serverFor(receive);
    const [first, second] = [await join(server), await join(server)];
    const asked = [ask(first, 'r-1'), ask(second, 'r-1')];
    gate.resolve();
    await Promise.all(asked);
    expect(handled).toEqual(['r-1']);
    expect(second.sentJson).toEqual(first.sentJson);
  });

  it('handles it again where the first failed', async () => {
    const { handled, receive } = counting({}, (count) => {
      if (count === 1) throw new Error('no');
      return count;
    });
    const server = serverFor(receive);
    const first = await join(server);
    await ask(first, 'r-1');
    const second = await join(server);
    await ask(second, 'r-1');
    expect([first.closed?.code, handled.length, second.sentJson]).toEqual([1011, 2, [{ requestId: 'r-1', result: 2 }]]);
  });

  it.each<[string, (client: TestClient, server: ChannelServer) => unknown]>([
    ['breaks', (client) => client.disconnect(1006)],
    ['is dropped', (client) => client.channel.terminate()],
    ['is closed', (client) => client.channel.close()],
    ['is cut off', (_client, server) => server.disconnectUser('ann')],
  ])('handles a number once where the line %s meanwhile, and the client comes back with it', async (_how, end) => {
    const gate = deferred();
    const { handled, receive } = counting({}, async (count) => {
      await gate.promise;
      return count;
    });
    const server = serverFor(receive);
    const first = await join(server);
    const asked = [ask(first, 'r-1')];
    void end(first, server);
    const second = await join(server);
    asked.push(ask(second, 'r-1'));
    gate.resolve();
    await Promise.all(asked);
    expect([handled.length, second.sentJson, second.closed]).toEqual([1, [{ requestId: 'r-1', result: 1 }], undefined]);
  });

  it('goes on with the second where the first throws once its line is gone, and where a wrapper around them fails it', async () => {
    for (const isInside of [true, false]) {
      const gate = deferred();
      const { handled, receive } = counting({}, async (count) => {
        await gate.promise;
        if (isInside && count === 1) throw new Error('no');
        return count;
      });
      const around = async (message: never) => {
        await receive(message);
        if (!isInside && handled.length === 1) throw new Error('no');
      };
      const server = serverFor(around as never);
      const first = await join(server);
      const asked = [ask(first, 'r-1')];
      if (isInside) void first.disconnect(1006);
      const second = await join(server);
      asked.push(ask(second, 'r-1'));
      gate.resolve();
      await Promise.all(asked);
      expect([handled.length, second.sentJson]).toEqual([2, [{ requestId: 'r-1', result: 2 }]]);
    }
  });

  it('goes on with the second where the first is given up', async () => {
    const clock = new TestClock();
    const { handled, receive } = counting({}, (count) => (count === 1 ? new Promise(() => undefined) : count));
    const server = serverFor(receive, new MemorySessionStore({ clock }), { clock, handlerTimeoutMs: 1_000 });
    const [first, second] = [await join(server), await join(server)];
    void ask(first, 'r-1');
    await clock.advance(500);
    first.channel.terminate();
    const asked = ask(second, 'r-1');
    await clock.advance(500);
    await asked;
    expect([handled.length, second.sentJson]).toEqual([2, [{ requestId: 'r-1', result: 2 }]]);
  });

  it('keeps nothing of messages that failed, however long others have their session', async () => {
    const clock = new TestClock();
    const kept = new MemorySessionStore({ clock });
    let isDown = false;
    const save = async (...given: Parameters<SessionStore['save']>) => (isDown ? Promise.reject(new Error('down')) : kept.save(...given));
    const store = storeWith(kept, { save });
    const messages: WeakRef<object>[] = [];
    const receive = withRequestId((message) => {
      messages.push(new WeakRef(message));
      return message.requestId === 'hangs' ? new Promise(() => undefined) : 'done';
    });
    const server = serverFor(receive as never, store, { clock, handlerTimeoutMs: 1_000 });
    const staying = await join(server);
    await ask(staying, 'r-0');
    isDown = true;
    const failed = async (id: string) => {
      const client = await join(server);
      void ask(client, id);
      await clock.advance(1_001);
      return client.closed?.code;
    };
    for (let count = 0; count < 20; count += 1) expect(await failed(count % 2 === 0 ? `s-${count}` : 'hangs')).toBe(1011);
    for (let round = 0; round < 3; round += 1) await collectGarbage();
    expect(messages).toHaveLength(21);
    expect(messages.filter((reference) => reference.deref() !== undefined).length).toBeLessThan(5);
    expect(staying.closed).toBeUndefined();
  });

  it('saves the answer together with what the handler changed, and leaves a number that was handled on another node at what came of it there', async () => {
    const store = new MemorySessionStore();
    const gate = deferred();
    const slow = withRequestId(async ({ channelSession }) => {
      channelSession.update('count' as never, ((count = 0) => count + 1) as never);
      await gate.promise;
    });
    const quick = withRequestId(({ channelSession }) => channelSession.update('count' as never, ((count = 0) => count + 1) as never));
    const [one, two] = [serverFor(slow as never, store), serverFor(quick as never, store)];
    const warm = await join(two);
    await ask(warm, 'r-0');
    const [late, early] = [await join(one), await join(two)];
    const asked = ask(late, 'r-1');
    await ask(early, 'r-1');
    gate.resolve();
    await asked;
    expect([late.closed?.code, early.sentJson]).toEqual([1011, [{ requestId: 'r-1' }]]);
    const back = await join(two);
    await ask(back, 'r-1');
    expect([back.sentJson, back.channelSession.get('count' as never)]).toEqual([[{ requestId: 'r-1' }], 2]);
  });

  it('answers a ClientError with its number, whoever tells it, and handles that number again', async () => {
    let isAllowed = false;
    const receive = withRequestId(
      dispatchOn('command', {
        say: withJson({ '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } })(() => {
          if (!isAllowed) throw new ClientError('muted', { inMs: 5 });
          return 'said';
        }),
      }),
    );
    const client = await join(serverFor(receive as never));
    await ask(client, 'r-1', { command: 'say' });
    isAllowed = true;
    await ask(client, 'r-1', { command: 'say' });
    await ask(client, 'r-2', { command: 'shout' });
    expect(client.sentJson).toEqual([
      { requestId: 'r-1', error: 'muted', inMs: 5 },
      { requestId: 'r-1', result: 'said' },
      { requestId: 'r-2', error: 'unknown_command' },
    ]);
  });

  it('lets messages without a number be, and sends nothing for them', async () => {
    const { handled, receive } = counting();
    const client = await join(serverFor(receive));
    await client.send('no JSON "requestId"');
    await client.send(Buffer.from('{"requestId":"r-1"}'));
    await client.sendJson({ text: 'has no number' });
    await client.sendJson(['requestId']);
    await client.sendJson({ within: { requestId: 'r-1' } });
    expect([handled, client.sent]).toEqual([Array(5).fill(undefined), []]);
  });

  it.each([[7], [''], ['a b'], ['x'.repeat(129)], [null], [{}], ['é']])('tells that %j is no number', async (requestId) => {
    const { handled, receive } = counting();
    const client = await join(serverFor(receive));
    await ask(client, requestId);
    expect([handled, client.sentJson]).toEqual([[], [{ error: 'invalid_request_id' }]]);
  });

  it('answers a ping itself', async () => {
    const { handled, receive } = counting();
    const client = await join(serverFor(receive));
    await ask(client, 'p-1', { ping: true });
    expect([handled, client.sentJson]).toEqual([[], [{ requestId: 'p-1', result: 'pong' }]]);
  });

  it('forgets the oldest answers beyond their number, and beyond their bytes', async () => {
    for (const [options, size] of [
      [{ remember: 2 }, 1],
      [{ maxRememberedBytes: 150 }, 30],
    ] as const) {
      const { handled, receive } = counting(options, () => 'x'.repeat(size));
      const client = await join(serverFor(receive));
      for (const id of ['r-1', 'r-2', 'r-3', 'r-3', 'r-2', 'r-1']) await ask(client, id);
      expect(handled).toEqual(['r-1', 'r-2', 'r-3', 'r-1']);
    }
  });

  it('does its work once where it stands twice, and stands well with others', async () => {
    let count = 0;
    const receive = compose(
      withRequestId,
      withChannelSession,
      withRequestId,
    )(({ channelSession, requestId }) => {
      channelSession.set('last' as never, requestId as never);
      count += 1;
      return count;
    });
    const client = await join(serverFor(receive as never));
    await ask(client, 'r-1');
    await ask(client, 'r-1');
    expect(client.sentJson).toEqual(Array(2).fill({ requestId: 'r-1', result: 1 }));
  });

  it('refuses options that are none, and messages that have no JSON', async () => {
    expect(() => withRequestId({ remember: 0 })).toThrow(TypeError);
    expect(() => withRequestId({ maxRememberedBytes: -1 })).toThrow(TypeError);
    const errors: unknown[] = [];
    await connectTo({ connect: withRequestId(() => undefined) as never }, { onError: (error) => errors.push(error) });
    expect(errors[0]).toBeInstanceOf(TypeError);
  });

  it('ends the channel where the result is nothing that JSON can hold', async () => {
    const { receive } = counting({}, () => 1n);
    const client = await join(serverFor(receive));
    await ask(client, 'r-1');
    expect(client.closed?.code).toBe(1011);
  });
});
