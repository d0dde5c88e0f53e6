import { describe, expect, it } from 'vitest';
import { ChannelServer, CloseChannel, DenyConnection, withChannelSession } from '../../entries/index.js';
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
  });
});
