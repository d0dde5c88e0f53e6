import type { ChannelConnection, ChannelListener } from './channel-connection.js';

/** What a command consists of: its name, then its arguments. */
export type RedisCommand = readonly [name: string, ...args: (string | Buffer)[]];

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
