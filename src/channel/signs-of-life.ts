import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

/** A line, and the socket on it. */
export interface Line {
  readonly raw: Socket;
  readonly socket: WebSocket | undefined;
}

/** Its input is held, or it has not been looked at yet: nothing can be told of it. */
export const unknown = -1;

/** What has arrived on sockets whose raw socket does not tell. */
const arrivals = new WeakMap<WebSocket, { count: number }>();

/**
 * Whether it can be told what arrives. Where `raw` counts nothing, such as a channel of SSH, that is counted from now on; and where nobody
 * reads it, since it stands in for another one, as under Bun, what the socket tells has arrived.
 */
export function tellsArrivals({ raw, socket }: Line): boolean {
  const stream: Duplex = raw;
  const counted = stream instanceof Socket ? 0 : (stream as Partial<Socket>).bytesRead; // to ask a socket costs more than to look at it
  if (!((counted ?? 0) >= 0) || socket === undefined) return false;
  const isRead = raw.listenerCount('data') > 0;
  if (isRead && counted !== undefined) return true;
  const arrived = { count: 0 };
  arrivals.set(socket, arrived);
  const add = (): void => {
    arrived.count += 1;
  };
  if (isRead) raw.on('data', add);
  else socket.on('message', add).on('ping', add).on('pong', add);
  return true;
}

/** A number that grows with what arrives. */
export function arrivedOn({ raw, socket }: Line): number {
  return (socket && arrivals.get(socket)?.count) ?? raw.bytesRead;
}

/**
 * A number that changes as long as the peer is there. Nothing arrives while input is held, as ws holds it behind what it inflates; then it is
 * what the peer has been sent and has taken, if anything is left to be taken.
 */
export function signsOfLife(line: Line): number {
  const { raw, socket } = line;
  if (socket === undefined || !raw.isPaused()) return arrivedOn(line);
  return socket.bufferedAmount === 0 || arrivals.has(socket) ? unknown : unknown - 1 - (raw.bytesWritten - raw.writableLength);
}
