import { isReplyOf } from './error-reply.js';
import { withoutCommand } from './without-command.js';

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

/** What a connection is opened for. */
export interface Listening {
  readonly channel: string;
  /** Whether it is a channel of a cluster, which one of its nodes has. */
  readonly isSharded: boolean;
  readonly listener: ChannelListener;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
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

/**
 * How a server refuses a ping though it is there: to a user who may not, while it cannot write to its disk, and while a script keeps it
 * busy.
 */
const refusals = ['NOPERM', 'MISCONF', 'BUSY'];

/** Resolves once `ping` is answered, be it that it is refused. */
export async function answered(ping: Promise<unknown>): Promise<void> {
  try {
    await ping;
  } catch (error) {
    if (!refusals.some((kind) => isReplyOf(error, kind))) throw error;
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
      if (!isReplyOf(error, 'MOVED')) break;
    }
  }
  throw last;
}

/** Why a connection hears nothing any more, where nobody says more. */
export function hasEnded(): Error {
  return new Error('The connection to Redis has ended.');
}
