import {
  answered,
  type ChannelConnection,
  type ChannelListener,
  hasEnded,
  type Listening,
  openConnection,
  openOnOwner,
} from './channel-connection.js';
import { isReplyOf } from './error-reply.js';
import type { NodeRedisClient } from './redis-client.js';
import type { RedisCommand, RedisGateway } from './redis-gateway.js';

type Listener = (data: Buffer) => void;

/** What of a client of one server is used. */
interface NodeRedisNode {
  readonly isOpen: boolean;
  readonly isReady: boolean;
  readonly options?: { readonly socket?: object };
  sendCommand(command: RedisCommand): Promise<unknown>;
  duplicate(options: object): NodeRedisNode;
  connect(): Promise<unknown>;
  destroy(): void;
  subscribe(channel: string, listener: Listener, asBuffers: true): Promise<unknown>;
  sSubscribe(channel: string, listener: Listener, asBuffers: true): Promise<unknown>;
  ping(): Promise<unknown>;
  on(event: string, listener: (...args: never[]) => void): unknown;
}

/** What of a client of a cluster is used. */
interface NodeRedisCluster {
  readonly isOpen: boolean;
  readonly isReady?: boolean;
  readonly masters: readonly object[];
  nodeClient(node: object): Promise<NodeRedisNode>;
  sendCommand(key: string, isReadOnly: boolean, command: RedisCommand): Promise<unknown>;
}

/**
 * Options of a connection that hears. One that is lost is not opened again, nor moved to another server: its owner does that, and knows
 * then that something was missed. It may be silent for as long as nobody sends anything.
 */
const listening = {
  disableOfflineQueue: false,
  maintNotifications: 'disabled',
  clientSideCache: undefined,
  socket: { reconnectStrategy: false, socketTimeout: undefined },
};

/** Redis through `redis`. */
export class NodeRedisGateway implements RedisGateway {
  readonly isCluster: boolean;
  readonly #client: NodeRedisNode | NodeRedisCluster;

  /** @param client which has been looked at. */
  constructor(client: NodeRedisClient) {
    this.#client = client as unknown as NodeRedisNode | NodeRedisCluster;
    this.isCluster = isCluster(this.#client);
  }

  isReady(): boolean {
    return this.#client.isReady ?? this.#client.isOpen;
  }

  isClosed(): boolean {
    return !this.#client.isOpen;
  }

  command(key: string, command: RedisCommand): Promise<unknown> {
    const client = this.#client;
    return isCluster(client) ? client.sendCommand(key, false, command) : client.sendCommand(command);
  }

  publish(channel: string, data: string | Buffer): Promise<unknown> {
    return this.command(channel, [this.isCluster ? 'SPUBLISH' : 'PUBLISH', channel, data]);
  }

  async listen(channel: string, listener: ChannelListener, signal: AbortSignal): Promise<ChannelConnection> {
    const client = this.#client;
    if (!isCluster(client)) return listenOn(client, { channel, isSharded: false, listener, signal });
    await answered(this.command(channel, ['TYPE', channel])); // once it is answered, the node that has the channel is known
    return openOnOwner(client.masters, async (node) =>
      listenOn(await client.nodeClient(node), { channel, isSharded: true, listener, signal }),
    );
  }
}

function listenOn(node: NodeRedisNode, { channel, isSharded, listener, signal }: Listening): Promise<ChannelConnection> {
  const connection = node.duplicate({ ...listening, socket: { ...node.options?.socket, ...listening.socket } });
  let isClosed = false;
  /** Before that, whatever happens fails the attempt. */
  let isSubscribed = false;
  let isLost = false;
  const close = (): void => {
    isClosed = true;
    if (connection.isOpen) connection.destroy();
  };
  const ended = (error: unknown): void => {
    isLost = true;
    if (!isSubscribed || isClosed) return;
    close();
    listener.ended(error instanceof Error ? error : hasEnded());
  };
  // an error that nobody hears would end the process
  connection.on('error', ended);
  for (const event of ['terminated', 'end', 'sharded-channel-moved']) connection.on(event, ended);
  const heard = (data: Buffer): void => {
    if (!isClosed) listener.message(data);
  };
  return openConnection(
    {
      async open() {
        await connection.connect();
        await (isSharded ? connection.sSubscribe(channel, heard, true) : connection.subscribe(channel, heard, true));
        if (isLost || !connection.isReady) throw hasEnded();
        isSubscribed = true;
      },
      ping: () => Promise.all([answered(connection.ping()), isSharded && checkNotMoved(connection, channel)]),
      close,
    },
    signal,
  );
}

/** The package passes over the server's word that a channel moves away if it comes while a reply is awaited. So its slot is asked for. */
async function checkNotMoved(connection: NodeRedisNode, channel: string): Promise<void> {
  try {
    await connection.sendCommand(['TYPE', channel]);
  } catch (error) {
    if (isReplyOf(error, 'MOVED')) throw error;
  }
}

function isCluster(client: NodeRedisNode | NodeRedisCluster): client is NodeRedisCluster {
  return 'masters' in client;
}
