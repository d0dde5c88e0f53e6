import { nothing } from '../../src/maybe-promise.js';
import {
  answered,
  type ChannelConnection,
  type ChannelListener,
  hasEnded,
  type Listening,
  openConnection,
  openOnOwner,
} from './channel-connection.js';
import type { IoredisClient } from './redis-client.js';
import type { RedisCommand, RedisGateway } from './redis-gateway.js';
import { withoutCommand } from './without-command.js';

interface Publishes extends IoredisClient {
  publish(channel: string, data: string | Buffer): Promise<unknown>;
  spublish(channel: string, data: string | Buffer): Promise<unknown>;
}

/** What of a `Redis` is used. */
interface IoredisNode extends Publishes {
  duplicate(options?: object): IoredisNode;
  connect(): Promise<unknown>;
  disconnect(): void;
  subscribe(channel: string): Promise<unknown>;
  ssubscribe(channel: string): Promise<unknown>;
  ping(): Promise<unknown>;
  on(event: string, listener: (...args: never[]) => void): unknown;
}

/** What of a `Cluster` is used. */
interface IoredisCluster extends Publishes {
  readonly isCluster: true;
  nodes(role: 'master'): IoredisNode[];
}

/**
 * Options of a connection that hears. One that is lost is not opened again: its owner does that, and knows then that something was missed.
 */
const listening = {
  lazyConnect: true,
  retryStrategy: () => null,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  enableOfflineQueue: true,
  maxRetriesPerRequest: null,
};

/** Redis through `ioredis`. */
export class IoredisGateway implements RedisGateway {
  readonly isCluster: boolean;
  readonly #client: IoredisNode | IoredisCluster;

  /** @param client which has been looked at. */
  constructor(client: IoredisClient) {
    this.#client = client as IoredisNode | IoredisCluster;
    this.isCluster = isCluster(this.#client);
  }

  isReady(): boolean {
    return this.#client.status === 'ready';
  }

  isClosed(): boolean {
    return this.#client.status === 'end';
  }

  command(_key: string, [name, ...args]: RedisCommand): Promise<unknown> {
    return this.#client.call(name, ...args);
  }

  publish(channel: string, data: string | Buffer): Promise<unknown> {
    return this.isCluster ? this.#client.spublish(channel, data) : this.#client.publish(channel, data);
  }

  async listen(channel: string, listener: ChannelListener, signal: AbortSignal): Promise<ChannelConnection> {
    const client = this.#client;
    if (!isCluster(client)) return listenOn(client, { channel, isSharded: false, listener, signal });
    await answered(client.call('TYPE', channel)); // once it is answered, the node that has the channel is known
    return openOnOwner(client.nodes('master'), (node) => listenOn(node, { channel, isSharded: true, listener, signal }));
  }
}

function listenOn(node: IoredisNode, { channel, isSharded, listener, signal }: Listening): Promise<ChannelConnection> {
  const connection = node.duplicate(listening);
  let isClosed = false;
  /** Before that, whatever happens fails the attempt; a node that has not the channel says that it has moved, too. */
  let isSubscribed = false;
  let lastError: Error | undefined;
  const ended = (): void => {
    if (!isSubscribed || isClosed) return;
    isClosed = true;
    connection.disconnect();
    listener.ended(lastError ?? hasEnded());
  };
  connection.on('error', (error: Error) => {
    lastError = withoutCommand(error);
  });
  connection.on('end', ended);
  connection.on('moved', ended); // its slot is another node's now
  const subscribe = isSharded ? shardedSubscribing(connection, channel) : () => connection.subscribe(channel);
  connection.on(isSharded ? 'smessageBuffer' : 'messageBuffer', (_channel: Buffer, data: Buffer) => {
    if (!isClosed) listener.message(data);
  });
  return openConnection(
    {
      async open() {
        try {
          await connection.connect();
        } catch (error) {
          throw lastError ?? error; // of which the package says no more than that the connection is closed
        }
        await subscribe();
        if (connection.status !== 'ready') throw lastError ?? hasEnded();
        isSubscribed = true;
      },
      ping: () => (isSharded ? subscribe() : answered(connection.ping())),
      close() {
        isClosed = true;
        connection.disconnect();
      },
    },
    signal,
  );
}

/**
 * Subscribes to a sharded channel, each time that it is called. Where the channel is another node's, version 5 of the package says so and
 * never answers; nor does it notice by itself when the channel moves later on.
 */
function shardedSubscribing(connection: IoredisNode, channel: string): () => Promise<unknown> {
  let refuse: (error: Error) => void = nothing;
  connection.on('moved', () => refuse(new Error('MOVED to another node.')));
  return () =>
    new Promise((resolve, reject) => {
      refuse = reject;
      connection.ssubscribe(channel).then(resolve, reject);
    });
}

function isCluster(client: IoredisNode | IoredisCluster): client is IoredisCluster {
  return 'isCluster' in client && client.isCluster;
}
