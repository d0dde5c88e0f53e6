import { EventEmitter } from 'node:events';
import { expect, it, vi } from 'vitest';
import { type ChannelConnection, openOnOwner } from '../../../adapters/redis/channel-connection.js';
import { NodeRedisGateway } from '../../../adapters/redis/node-redis-gateway.js';

const connection: ChannelConnection = { ping: async () => undefined, close: () => undefined };
const moved = new Error('MOVED 42 127.0.0.1:7001');
const down = new Error('down');

it.each<[string, readonly (ChannelConnection | Error)[], ChannelConnection | Error, number]>([
  ['the one after others from which it has moved', [moved, moved, connection], connection, 3],
  ['none, where one cannot be asked, which is told', [moved, down, connection], down, 2],
  ['none, where it has moved from each', [moved, moved], moved, 2],
])('of the nodes of a cluster a channel is opened on %s', async (_which, nodes, outcome, count) => {
  let asked = 0;
  const opened = openOnOwner(nodes, async (node) => {
    asked += 1;
    if (node instanceof Error) throw node;
    return node;
  });
  expect(await opened.catch((error: unknown) => error)).toBe(outcome);
  expect(asked).toBe(count);
});

it('of a cluster of no nodes none is opened', async () => {
  await expect(openOnOwner([], async () => connection)).rejects.toThrow(Error);
});

/** A connection of `redis` to a node whose channel moves away, which it learns of together with the answer that it has the channel. */
class MovedAtOnce extends EventEmitter {
  readonly isOpen = true;
  readonly isReady = true;

  duplicate(): this {
    return this;
  }

  async connect(): Promise<void> {}

  destroy(): void {}

  async sSubscribe(channel: string): Promise<void> {
    this.emit('sharded-channel-moved', channel);
  }
}

it('a channel that moves to another node while it is subscribed to is not taken for one that is heard', async () => {
  const nodeClient = async (): Promise<MovedAtOnce> => new MovedAtOnce();
  const gateway = new NodeRedisGateway({ masters: [{}], nodeClient } as never);
  const listener = { message: vi.fn(), ended: vi.fn() };
  await expect(gateway.listen('channel', listener, new AbortController().signal)).rejects.toThrow(Error);
  expect(listener.ended).not.toHaveBeenCalled();
});
