import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChannelServer, Groups, withChannelSession, withUserFromToken } from '../../../entries/index.js';
import { MemoryTokenRepository, MemoryUserRepository } from '../../../entries/memory.js';
import { RedisBroadcaster, RedisRevocationFeed, RedisSessionStore } from '../../../entries/redis.js';
import { connectTo } from '../../../entries/testing.js';

import { type RedisServer, startRedis } from '../../support/redis-server.js';

/** One node of an application, as another process would have it. */
interface Node extends AsyncDisposable {
  readonly client: Redis;
  readonly groups: Groups;
  readonly channels: ChannelServer;
  readonly gaps: () => number;
}

const users = new MemoryUserRepository([{ id: 'ada', isAuthenticated: true }]);
const key = 'a'.repeat(40);

describe('an application of two nodes on Redis', () => {
  let server: RedisServer;
  let one: Node;
  let two: Node;

  beforeAll(async () => {
    server = await startRedis();
    [one, two] = [await startNode(server.port), await startNode(server.port)];
  });
  afterAll(async () => {
    await one[Symbol.asyncDispose]();
    await two[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  it('sends to members on the other node, and shows who is there', async () => {
    const ada = await connectTo(two.channels, { cookies: { key } });
    one.groups.send('lobby', 'hello');
    await expect.poll(() => ada.sent).toEqual(['hello']);
    await expect.poll(() => one.groups.presenceOf('lobby')).toEqual(new Map([['ada', 1]]));
    await ada.disconnect();
    await expect.poll(() => one.groups.presenceOf('lobby')).toEqual(new Map());
  });

  it('finds the session of a client on the other node', async () => {
    const first = await connectTo(one.channels, { cookies: { key } });
    await first.send('a');
    await first.disconnect();
    const second = await connectTo(two.channels, { cookies: { key } });
    await second.send('b');
    expect(second.channelSession.get('last')).toEqual(['a', 'b']);
    await second.disconnect();
  });

  it('ends the channels of a user on all nodes', async () => {
    const [here, there] = [await connectTo(one.channels, { cookies: { key } }), await connectTo(two.channels, { cookies: { key } })];
    await one.channels.disconnectUser('ada');
    await expect.poll(() => [here.closed?.code, there.closed?.code]).toEqual([3000, 3000]);
  });

  it('goes on after the broker was killed, and is told of a gap', async () => {
    const ada = await connectTo(two.channels, { cookies: { key } });
    await server.kill();
    one.groups.send('lobby', 'lost');
    await server.restart();
    await expect.poll(() => two.gaps()).toBeGreaterThan(0);
    await expect
      .poll(() => {
        one.groups.send('lobby', 'again');
        return ada.sent;
      })
      .toContain('again');
    one.groups.send('lobby', 'the last'); // none of those before it is still to come
    await expect.poll(() => ada.sent.at(-1)).toBe('the last');
    await ada.disconnect();
  });
});

async function startNode(port: number): Promise<Node> {
  const client = new Redis(port, '127.0.0.1', { retryStrategy: () => 20 });
  client.on('error', () => undefined);
  let gaps = 0;
  const onGap = (): void => {
    gaps += 1;
  };
  const groups = new Groups({ broadcaster: new RedisBroadcaster(client), presence: true, onGap, onWarning: () => undefined });
  await groups.ready;
  const tokens = new MemoryTokenRepository({ users });
  tokens.add(key, 'ada');
  const channels = new ChannelServer(
    {
      connect: withUserFromToken({ tokens })(({ channel }) => void groups.add('lobby', channel)),
      receive: withChannelSession(({ channelSession, text }) => {
        channelSession.update('last', (last) => [...(Array.isArray(last) ? last : []), text]);
      }),
    },
    {
      session: { store: new RedisSessionStore(client), scope: 'client' },
      revocations: new RedisRevocationFeed(client),
      onWarning: () => undefined,
    },
  );
  return {
    client,
    groups,
    channels,
    gaps: () => gaps,
    async [Symbol.asyncDispose]() {
      await groups.close();
      await channels.close({ timeoutMs: 100 });
      client.disconnect();
    },
  };
}
