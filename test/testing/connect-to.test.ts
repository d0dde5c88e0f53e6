import { describe, expect, it } from 'vitest';
import { ChannelServer, CloseChannel, DenyConnection, type DisconnectMessage, withChannelSession } from '../../entries/index.js';
import { connectTo, TestClock } from '../../entries/testing.js';

describe('connectTo', () => {
  it('shows what handlers sent as it would leave: text as strings, bytes as bytes', async () => {
    const client = await connectTo({
      connect: ({ channel }) => {
        channel.sendJson({ a: 1 });
        channel.send('text');
        channel.send(new Uint8Array([1, 2]));
        channel.send(new Uint8Array([3]).buffer);
      },
    });
    expect(client.sent).toEqual(['{"a":1}', 'text', new Uint8Array([1, 2]), new Uint8Array([3])]);
    expect(() => client.sentJson).toThrow(SyntaxError);
  });

  it('sends text and bytes, and resolves when they were handled', async () => {
    const log: unknown[] = [];
    const client = await connectTo({
      receive: async (message) => {
        await Promise.resolve();
        log.push([message.isBinary, message.text]);
      },
    });
    await client.send('text');
    await client.send(new Uint8Array([97]));
    await client.sendJson({ a: 1 });
    expect(log).toEqual([
      [false, 'text'],
      [true, 'a'],
      [false, '{"a":1}'],
    ]);
  });

  it('gives handlers the handshake that the test describes', async () => {
    const seen: unknown[] = [];
    await connectTo(
      {
        connect: ({ request: { url, method, headers } }) =>
          void seen.push(url, method, headers.cookie, headers.origin, headers['x-a'], headers['sec-websocket-protocol']),
      },
      { url: '/chat?a=1', cookies: { a: '1', b: '2' }, origin: 'http://127.0.0.1', headers: { 'X-A': 'x' }, protocols: ['one', 'two'] },
    );
    expect(seen).toEqual(['/chat?a=1', 'GET', 'a=1; b=2', 'http://127.0.0.1', 'x', 'one, two']);
  });

  it('sends bytes of whatever kind as they are', async () => {
    const seen: unknown[] = [];
    const client = await connectTo({ receive: ({ data, isBinary }) => void seen.push([isBinary, [...data]]) });
    const { buffer } = new Uint8Array([1, 2, 3, 4]);
    await client.send(buffer);
    await client.send(new DataView(buffer, 1, 2) as never);
    await client.send(new Uint16Array([258]) as never);
    expect(seen).toEqual([
      [true, [1, 2, 3, 4]],
      [true, [2, 3]],
      [true, [2, 1]],
    ]);
  });

  it.each([undefined, null, 5, 1n, {}, ['text'], () => 'text', Promise.resolve('text')])(
    'sends nothing but strings and bytes: %s',
    async (data) => {
      const seen: unknown[] = [];
      const client = await connectTo({ receive: ({ text }) => void seen.push(text) });
      await expect(client.send(data as never)).rejects.toThrow(/^client\.send: data must /);
      expect(seen).toEqual([]);
    },
  );

  it.each([undefined, 1n, () => 1, Promise.resolve(1)])('sends as JSON what JSON can hold: %s is none', async (value) => {
    const client = await connectTo({ receive: () => undefined });
    await expect(client.sendJson(value)).rejects.toThrow(/^client\.sendJson: value must /);
  });

  it('ends as a client can end: by a code and reason of a close frame, by a frame without a code, or by none', async () => {
    const seen: unknown[] = [];
    const disconnect = ({ code, reason }: DisconnectMessage): void => void seen.push([code, reason]);
    for (const code of [1000, 1001, 1005, 1006, 3000, 4999]) await (await connectTo({ disconnect })).disconnect(code, 'bye');
    expect(seen).toEqual([1000, 1001, 1005, 1006, 3000, 4999].map((code) => [code, 'bye']));
    for (const [code, reason] of [[999], [1004], [2000], [5000], ['1000'], [null], [1000, 5], [1000, null], [1000, 'é'.repeat(62)]]) {
      const client = await connectTo({ disconnect });
      await expect(client.disconnect(code as never, reason as never)).rejects.toThrow(/^client\.disconnect: (code|reason) must /);
      await client.disconnect();
    }
  });

  it.each<[string, unknown]>([
    ['cookies', null],
    ['cookies', 'a=1'],
    ['cookies', { a: 1 }],
    ['cookies', { a: undefined }],
    ['headers', ['a']],
    ['headers', { a: ['b'] }],
    ['origin', new URL('https://app.example.com')],
    ['url', new URL('ws://app.example.com/chat')],
    ['protocols', 'chat'],
    ['protocols', [1]],
    ['via', 'network'],
    ['options', null],
    ['options', []],
  ])('is given %s that it can use, or says what is wrong', async (name, value) => {
    const options = name === 'options' ? value : { [name]: value };
    await expect(connectTo({ receive: () => undefined }, options as never)).rejects.toThrow(new RegExp(`^connectTo: ${name} must be `));
  });

  it.each([
    { headers: new Headers({ authorization: 'Token x' }) },
    { headers: new Map([['authorization', 'Token x']]) },
    { cookies: new Map([['key', 'x']]) },
  ])('refuses an object in which it would find no header or cookie: %o', async (options) => {
    await expect(connectTo({ receive: () => undefined }, options as never)).rejects.toThrow(/^connectTo: (headers|cookies) must be .*Map/);
  });

  it('names the cookie or header that is no string, such as a promise for want of an await', async () => {
    for (const option of ['cookies', 'headers']) {
      const connecting = connectTo(
        { receive: () => undefined },
        { [option]: { first: 'a', sessionid: Promise.reject(new Error('lost')) } },
      );
      await expect(connecting).rejects.toThrow(new RegExp(`^connectTo: ${option} must be .*, got a promise for sessionid$`));
    }
  });

  it('shows a refusal, and a client that was refused can do nothing more', async () => {
    const client = await connectTo({
      connect: () => {
        throw new DenyConnection({ status: 451 });
      },
    });
    expect(client.refusal).toEqual({ status: 451 });
    expect(client.closed).toBeUndefined();
    await expect(client.send('a')).rejects.toThrow(TypeError);
    await client.disconnect();
  });

  it('shows how the server closed the connection, once its disconnect handler is done', async () => {
    const log: unknown[] = [];
    const client = await connectTo({
      receive: () => {
        throw new CloseChannel(4000, 'enough');
      },
      disconnect: async ({ code, reason }) => {
        await Promise.resolve();
        log.push(code, reason);
      },
    });
    await client.send('a');
    expect(client.closed).toEqual({ code: 4000, reason: 'enough' });
    expect(log).toEqual([4000, 'enough']);
    await expect(client.send('b')).rejects.toThrow(TypeError);
  });

  it('lets the client leave, with a code or without a word', async () => {
    const codes: number[] = [];
    const handlers = { disconnect: ({ code }: { readonly code: number }) => void codes.push(code) };
    await (await connectTo(handlers)).disconnect();
    await (await connectTo(handlers)).disconnect(4001, 'bye');
    await (await connectTo(handlers)).disconnect(1006);
    expect(codes).toEqual([1000, 4001, 1006]);
  });

  it('shows a channel that terminates before and after its handshake is answered', async () => {
    const early = await connectTo({ connect: ({ channel }) => channel.terminate() });
    expect(early.closed).toEqual({ code: 1006, reason: '' });
    const late = await connectTo({ receive: ({ channel }) => channel.terminate() });
    await late.send('a');
    expect(late.closed).toEqual({ code: 1006, reason: '' });
  });

  it('shows the session as it was saved, and says where there is none', async () => {
    const receive = withChannelSession((message) => message.channelSession.set('n', 1));
    const client = await connectTo({ receive });
    await client.send('a');
    expect(client.channelSession.get('n')).toBe(1);
    expect(client.channelSession.has('m')).toBe(false);
    const without = await connectTo({ receive: () => {} });
    expect(() => without.channelSession).toThrow(TypeError);
    expect([without.user.isAuthenticated, without.authentication, without.channel.id.length]).toEqual([false, undefined, 36]);
  });

  it('drives a server of the test, several clients of it, with an injected clock', async () => {
    const clock = new TestClock();
    const server = new ChannelServer({ connect: () => new Promise(() => {}) }, { clock, onError: () => {} });
    const pending = [connectTo(server), connectTo(server)];
    await clock.advance(5_000);
    expect((await Promise.all(pending)).map(({ refusal }) => refusal)).toEqual([{ status: 408 }, { status: 408 }]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('refuses options of a server beside a server', async () => {
    await expect(connectTo(new ChannelServer({ receive: () => {} }), { concurrency: 2 })).rejects.toThrow(TypeError);
    for (const target of [new ChannelServer({ receive: () => {} }), { receive: () => {} }])
      await expect(connectTo(target, { cookie: 'key=value' } as object)).rejects.toThrow(/no option cookie; it takes cookies/);
  });
});
