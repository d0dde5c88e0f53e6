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

/** A connection of `redis` to a node of a cluster. */
class NodeConnection extends EventEmitter {
  readonly isOpen = true;
  readonly isReady = true;
  readonly ping = async (): Promise<string> => 'PONG';
  /** The answer to whatever concerns the slot of a channel. */
  refusal: Error | undefined;

  duplicate(): this {
    return this;
  }

  async connect(): Promise<void> {}

  destroy(): void {}

  async sSubscribe(_channel: string): Promise<void> {}

  async sendCommand(): Promise<void> {
    if (this.refusal !== undefined) throw this.refusal;
  }
}

/** It learns that its channel moves away together with the answer that it has it. */
class MovedAtOnce extends NodeConnection {
  override async sSubscribe(channel: string): Promise<void> {
    this.emit('sharded-channel-moved', channel);
  }
}

function listenOn(node: NodeConnection, ended: () => void): Promise<ChannelConnection> {
  const gateway = new NodeRedisGateway({ masters: [{}], nodeClient: async () => node, sendCommand: async () => 'none' } as never);
  return gateway.listen('channel', { message: () => undefined, ended }, new AbortController().signal);
}

it('a channel that moves to another node while it is subscribed to is not taken for one that is heard', async () => {
  const ended = vi.fn();
  await expect(listenOn(new MovedAtOnce(), ended)).rejects.toThrow(Error);
  expect(ended).not.toHaveBeenCalled();
});

it('a channel that has moved without a word, as while a ping is under way, is noticed with the next one', async () => {
  const node = new NodeConnection();
  const heard = await listenOn(node, () => undefined);
  for (const refusal of [undefined, new Error('NOPERM'), new Error('ASK 42 127.0.0.1:7001')]) {
    node.refusal = refusal;
    await heard.ping();
  }
  node.refusal = moved;
  await expect(heard.ping()).rejects.toThrow('MOVED');
});
