import type { IncomingMessage } from 'node:http';
import { foundOrMade } from '../found-or-made.js';

/** Whom the one listener of a connection tells. */
interface Waiting {
  readonly all: Set<() => void>;
  readonly tell: () => void;
}

/** By their connections. They share a listener: Node warns of more than ten, and a client may have as many requests looked up at a time. */
const known = new WeakMap<object, Waiting>();

/**
 * Calls `leave` when the connection of `request` closes, until the returned function is called. Requests that somebody has made up have
 * none.
 */
export function onDeparture(request: IncomingMessage, leave: () => void): () => void {
  const socket: Partial<IncomingMessage['socket']> | undefined = request.socket;
  if (socket?.once === undefined) return () => undefined;
  const { all, tell } = foundOrMade(known, socket, () => waitingFor(socket as IncomingMessage['socket']));
  all.add(leave);
  return () => {
    all.delete(leave);
    if (all.size > 0) return;
    known.delete(socket);
    socket.off?.('close', tell);
  };
}

function waitingFor(socket: IncomingMessage['socket']): Waiting {
  const all = new Set<() => void>();
  const tell = (): void => {
    for (const each of all) each();
  };
  socket.once('close', tell);
  return { all, tell };
}
