import { describe, expect, it, vi } from 'vitest';
import { ChannelServer, ClientError, dispatchOn, withChannelSession, withUserFromToken } from '../../entries/index.js';
import { connectTo } from '../../entries/testing.js';

describe('dispatchOn', () => {
  it('knows a command that is a number by its digits', async () => {
    const receive = dispatchOn('op', {
      1: (message) => message.channel.send('one'),
      2.5: (message) => message.channel.send('two and a half'),
    });
    const client = await connectTo({ receive });
    for (const op of [1, '1', 2.5, 2, true, null, [1]]) await client.sendJson({ op });
    const unknown = JSON.stringify({ error: 'unknown_command' });
    expect(client.sent).toEqual(['one', 'one', 'two and a half', unknown, unknown, unknown, unknown]);
  });

  it('picks the handler by a property of the JSON and hands it the body', async () => {
    const join = vi.fn();
    const leave = vi.fn();
    const client = await connectTo({ receive: dispatchOn('command', { join: (message) => join(message.body), leave: () => leave() }) });
    await client.sendJson({ command: 'join', room: 'a' });
    expect(join.mock.calls).toEqual([[{ command: 'join', room: 'a' }]]);
    expect(leave).not.toHaveBeenCalled();
  });

  it.each([
    '{}',
    '{"command":"burn"}',
    '{"command":5}',
    '{"command":["join"]}',
    '[]',
    'null',
    '"join"',
    '{"command":"toString"}',
    '{"command":"__proto__"}',
    '{"__proto__":{"command":"join"}}',
  ])('tells the client that there is no such command: %s', async (text) => {
    const join = vi.fn();
    const client = await connectTo({ receive: dispatchOn('command', { join }) });
    await client.send(text);
    expect(client.sentJson).toEqual([{ error: 'unknown_command' }]);
    expect(join).not.toHaveBeenCalled();
    expect(client.closed).toBeUndefined();
  });

  it('tells the client of invalid JSON and of the ClientErrors of its parts, sync and async', async () => {
    const receive = dispatchOn('command', {
      sync: () => {
        throw new ClientError('full', { room: 'a', error: 'not this one' });
      },
      later: async () => {
        throw new ClientError('closed');
      },
    });
    const client = await connectTo({ receive });
    await client.send('{');
    await client.sendJson({ command: 'sync' });
    await client.sendJson({ command: 'later' });
    expect(client.sentJson).toEqual([{ error: 'invalid_json' }, { error: 'full', room: 'a' }, { error: 'closed' }]);
  });

  it('leaves the session as it was where a part throws a ClientError', async () => {
    const receive = dispatchOn('command', {
      set: withChannelSession((message) => {
        message.channelSession.set('room', 'a');
        throw new ClientError('full');
      }),
    });
    const client = await connectTo({ receive });
    await client.sendJson({ command: 'set' });
    expect(client.channelSession.get('room')).toBeUndefined();
  });

  it('tells the server what its parts need', () => {
    const make = () => new ChannelServer({ receive: dispatchOn('command', { join: withUserFromToken(() => {}) }) });
    expect(make).toThrowError(expect.objectContaining({ code: 'ERR_DEPENDENCY_MISSING' }));
  });

  it('hands on `this`', async () => {
    const chat = {
      name: 'chat',
      receive: dispatchOn('command', {
        who: function (this: unknown, message) {
          message.channel.send((this as { name: string }).name);
        },
      }),
    };
    const client = await connectTo({ receive: chat.receive.bind(chat) });
    await client.sendJson({ command: 'who' });
    expect(client.sent).toEqual(['chat']);
  });

  it('goes below another on the same body', async () => {
    const receive = dispatchOn('kind', { room: dispatchOn('command', { join: (message) => message.channel.sendJson(message.body) }) });
    const client = await connectTo({ receive });
    await client.sendJson({ kind: 'room', command: 'join' });
    expect(client.sentJson).toEqual([{ kind: 'room', command: 'join' }]);
  });

  it('is for receive, and its parts are handlers', async () => {
    expect(() => dispatchOn('command', { join: 5 } as never)).toThrow(TypeError);
    expect(() => dispatchOn(5 as never, {})).toThrow(TypeError);
    const onError = vi.fn();
    const client = await connectTo({ connect: dispatchOn('command', {}) as never }, { onError });
    expect(client.refusal).toEqual({ status: 500 });
    expect(onError.mock.calls[0]?.[0]).toBeInstanceOf(TypeError);
  });
});
