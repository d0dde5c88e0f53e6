import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { RedisBroadcaster, type RedisClient, RedisSessionStore } from '../../../entries/redis.js';
import { TestClock } from '../../../entries/testing.js';

/** A node of a cluster as `ioredis` 5 sees it: where the channel is another node's, it says so and never answers. */
class Node extends EventEmitter {
  readonly status = 'ready';
  hasChannel: boolean;
  /** A channel that it has all the same. */
  only: string | undefined;
  asked = 0;

  constructor(hasChannel: boolean) {
    super();
    this.hasChannel = hasChannel;
  }

  duplicate(): Connection {
    return new Connection(this);
  }
}

class Connection extends EventEmitter {
  readonly status = 'ready';
  readonly #node: Node;

  constructor(node: Node) {
    super();
    this.#node = node;
  }

  async connect(): Promise<void> {}

  disconnect(): void {}

  ssubscribe(channel: string): Promise<unknown> {
    this.#node.asked += 1;
    if (this.#node.hasChannel || channel === this.#node.only) return Promise.resolve(1);
    this.emit('moved');
    return new Promise(() => {});
  }
}

function clusterOf(...nodes: readonly Node[]): RedisClient {
  const unused = async (): Promise<string> => 'PONG';
  return {
    status: 'ready',
    isCluster: true,
    call: unused,
    spublish: unused,
    disconnect: unused,
    duplicate: () => ({}),
    nodes: () => nodes,
  } as RedisClient;
}

it('a cluster of ioredis 5 is asked on, node by node, where the answer to a subscription is only that its channel has moved', async () => {
  const [other, owner] = [new Node(false), new Node(true)];
  const broadcaster = new RedisBroadcaster(clusterOf(other, owner), { shards: 1, clock: new TestClock() });
  const subscription = await broadcaster.subscribe(
    () => undefined,
    () => undefined,
  );
  expect([other.asked, owner.asked]).toEqual([1, 1]);
  await subscription[Symbol.asyncDispose]();
});

it('a channel that moves unnoticed in a cluster of ioredis 5 is found with the next check, and told of as a gap', async () => {
  const [first, second] = [new Node(true), new Node(false)];
  const clock = new TestClock();
  let gaps = 0;
  const subscription = await new RedisBroadcaster(clusterOf(first, second), { shards: 1, clock }).subscribe(
    () => undefined,
    () => {
      gaps += 1;
    },
  );
  await clock.advance(10_000);
  expect(gaps).toBe(0);
  [first.hasChannel, second.hasChannel] = [false, true];
  await clock.advance(10_000);
  await clock.advance(50);
  expect([gaps, second.asked]).toEqual([1, 1]);
  await subscription[Symbol.asyncDispose]();
  expect(clock.pendingTimers).toBe(0);
});

it('a broadcaster in a cluster is heard again when all of its channels are', async () => {
  const node = new Node(true);
  const clock = new TestClock();
  const told: string[] = [];
  const subscription = await new RedisBroadcaster(clusterOf(node), { shards: 2, clock }).subscribe(
    () => undefined,
    () => told.push('gap'),
    { failed: () => told.push('failed'), restored: () => told.push('restored') },
  );
  node.hasChannel = false;
  await clock.advance(10_000);
  await clock.advance(50);
  expect(told).toEqual(['failed', 'failed']);
  node.only = 'ws-with:broadcast:1';
  await clock.advance(500);
  expect(told).toContain('gap');
  expect(told).not.toContain('restored');
  node.hasChannel = true;
  await clock.advance(5_000);
  expect(told.slice(-2)).toEqual(['restored', 'gap']);
  await subscription[Symbol.asyncDispose]();
  expect(clock.pendingTimers).toBe(0);
});

it('a cluster of redis 5, which does not tell whether it is ready, serves like another', async () => {
  const asked: unknown[] = [];
  const sendCommand = async (key: string, isReadOnly: boolean, [name]: readonly string[]): Promise<unknown> => {
    asked.push([key, isReadOnly, name]);
    return [null, null, null, null];
  };
  const none = (): object => ({});
  const client = { isOpen: true, masters: [], sendCommand, duplicate: none, destroy: none, sSubscribe: none };
  const store = new RedisSessionStore(client, { prefix: 'app:', clock: new TestClock() });
  expect(await store.load('an-id')).toBeUndefined();
  expect(asked).toEqual([['app:session:an-id', false, 'HMGET']]);
});
