import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { systemClock } from '../time/system-clock.js';

/** How long a refused client may take to read its answer and hang up. */
const lingerMs = 1_000;
/** What `Retry-After` says where nothing else is known. */
const usualRetryMs = 5_000;

/** Drops the connection of a refused client that does not hang up by itself. */
export function dropIfItLingers(socket: Duplex): void {
  socket.once(
    'close',
    systemClock.setTimer(() => socket.destroy(), lingerMs),
  );
}

/** How an upgrade is refused. */
export interface UpgradeRefusal {
  readonly status: number;
  /** @default 5,000 */
  readonly retryAfterMs?: number | undefined;
}

/**
 * Answers an upgrade with a status and a constant body, and hangs up. What the client still sends is read and dropped: closing a socket
 * with unread bytes would reset the connection, and the answer could be lost with it.
 */
export function refuseUpgrade(socket: Duplex, { status, retryAfterMs = usualRetryMs }: UpgradeRefusal): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const phrase = STATUS_CODES[status] ?? 'Refused';
  const body = `${phrase}\n`;
  const headers = ['Connection: close', 'Content-Type: text/plain', `Content-Length: ${Buffer.byteLength(body)}`];
  if (status === 401) headers.push('WWW-Authenticate: Bearer'); // RFC 9110, section 15.5.2
  if (status === 503 || status === 429) headers.push(`Retry-After: ${Math.max(1, Math.ceil(retryAfterMs / 1_000))}`);
  socket.end(`HTTP/1.1 ${status} ${phrase}\r\n${headers.join('\r\n')}\r\n\r\n${body}`);
  dropIfItLingers(socket);
  socket.once('end', () => socket.destroy());
  socket.resume();
}
