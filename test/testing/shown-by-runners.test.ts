import { inspect, isDeepStrictEqual } from 'node:util';
import { expect, it } from 'vitest';
import {
  type BaseMessage,
  ChannelServer,
  type ConnectMessage,
  type HasHttpSession,
  withChannelSession,
  withUserFromHttp,
} from '../../entries/index.js';
import { MemoryHttpSessionReader, MemoryUserRepository } from '../../entries/memory.js';
import { connectTo, TestClock } from '../../entries/testing.js';

const tagOf = (value: unknown): string => Object.prototype.toString.call(value);

it('what tests assert on has a tag, by which a runner shows it itself, and no copy without its private members', async () => {
  const seen: BaseMessage[] = [];
  const others: unknown[] = [];
  const [sessions, users] = [new MemoryHttpSessionReader(), new MemoryUserRepository([{ id: 'ada', isAuthenticated: true }])];
  const keep = (message: BaseMessage): void => void seen.push(message);
  const clock = new TestClock();
  const channels = new ChannelServer(
    {
      connect: withUserFromHttp({ sessions, users })((message: ConnectMessage & HasHttpSession) => {
        keep(message);
        others.push(message.httpSession, message.responseHeaders);
      }),
      receive: withChannelSession((message) => {
        keep(message);
        others.push(message.channelSession);
      }),
      disconnect: keep,
    },
    { clock },
  );
  const client = await connectTo(channels, { cookies: { sessionid: sessions.create('ada') } });
  await client.send('x');
  await client.disconnect();
  expect(seen.map(tagOf)).toEqual(['[object Message]', '[object Message]', '[object Message]']);
  others.push(client, client.channel, client.channelSession, channels, channels.channels, clock);
  expect(others).toHaveLength(9);
  expect(others.filter((other) => tagOf(other) === '[object Object]')).toEqual([]);
});

it('a client shows what it has seen, as in a snapshot', async () => {
  const client = await connectTo({ receive: ({ channel, text }) => (text === 'bye' ? channel.close(4000, 'done') : channel.send(text)) });
  await client.send('hello');
  await client.send('bye');
  expect(JSON.parse(JSON.stringify(client))).toEqual({
    user: { id: null, isAuthenticated: false },
    sent: ['hello'],
    closed: { code: 4000, reason: 'done' },
  });
  expect(inspect(client)).toContain('TestClient');
});

it('a channel is equal to no other, be that of its server or of another', async () => {
  const handlers = { receive: () => {} };
  const server = new ChannelServer(handlers);
  const { channel } = await connectTo(server);
  expect([channel]).toEqual([channel]);
  for (const other of [await connectTo(server), await connectTo(handlers), await connectTo(handlers)]) {
    expect([channel]).not.toEqual([other.channel]);
    expect(isDeepStrictEqual(channel, other.channel)).toBe(false);
  }
});
