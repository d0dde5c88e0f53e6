import { withoutCommand } from './without-command.js';

/** A client of `ioredis`: a `Redis` or a `Cluster`. */
export interface IoredisClient {
  readonly status: string;
  call(command: string, ...args: (string | Buffer | number)[]): Promise<unknown>;
  duplicate(): object;
}

/** A client of `redis`, as `createClient` or `createCluster` make it. */
export interface NodeRedisClient {
  readonly isOpen: boolean;
  /** Clusters of version 5 have none. */
  readonly isReady?: boolean | undefined;
  sendCommand(...args: never[]): Promise<unknown>;
  duplicate(): object;
}

/** A client of Redis or Valkey, of whichever of the two packages the application has. It opens and closes it. */
export type RedisClient = IoredisClient | NodeRedisClient;

/** What a command consists of: its name, then its arguments. */
export type RedisCommand = readonly [name: string, ...args: (string | Buffer)[]];

/** Is told by a connection that hears one channel. */
export interface ChannelListener {
  message(data: Buffer): void;
  /** It hears nothing any more, and does not come back. Not called after {@link ChannelConnection.close}. */
  ended(error: Error): void;
}

/** A connection of its own, which hears one channel. */
export interface ChannelConnection {
  /** Resolves when the server has answered. */
  ping(): Promise<unknown>;
  close(): void;
}

/** What of a client is used, whichever package it is of. */
export interface RedisGateway {
  /** Whether it talks to a cluster, where channels are sharded. */
  readonly isCluster: boolean;
  /** Whether a command that is given now is sent now. */
  isReady(): boolean;
  /** Whether the application has closed it for good. */
  isClosed(): boolean;
  /** Sends a command; those that are sent one after the other on one key arrive so. */
  command(key: string, command: RedisCommand): Promise<unknown>;
  /** Sends `data` to those who hear `channel`; what is sent on one channel arrives in order. */
  publish(channel: string, data: string | Buffer): Promise<unknown>;
  /**
   * Opens a connection that hears `channel`, and does not come back by itself: who follows it must know that something was missed.
   *
   * @param signal ends the attempt.
   */
  listen(channel: string, listener: ChannelListener, signal: AbortSignal): Promise<ChannelConnection>;
}

/** A connection that is being opened. */
export interface OpeningConnection {
  /** Resolves once the channel is heard. */
  open(): Promise<void>;
  ping(): Promise<unknown>;
  close(): void;
}

/** Opens a connection, or closes it where that fails or is not wanted any more. */
export async function openConnection(connection: OpeningConnection, signal: AbortSignal): Promise<ChannelConnection> {
  const close = (): void => connection.close();
  signal.addEventListener('abort', close, { once: true });
  try {
    signal.throwIfAborted();
    await connection.open();
    signal.throwIfAborted();
    return connection;
  } catch (error) {
    connection.close();
    throw withoutCommand(error);
  } finally {
    signal.removeEventListener('abort', close);
  }
}

/** Asks the nodes of a cluster in turn which of them has the channel: the others answer that it has moved. */
export async function openOnOwner<Node>(
  nodes: readonly Node[],
  open: (node: Node) => Promise<ChannelConnection>,
): Promise<ChannelConnection> {
  let last: unknown = new Error('The cluster has no node that can be asked.');
  for (const node of nodes) {
    try {
      return await open(node);
    } catch (error) {
      last = error;
      if (!(error instanceof Error && error.message.startsWith('MOVED'))) break;
    }
  }
  throw last;
}
