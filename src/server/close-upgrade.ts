import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocketServer } from 'ws';
import { nothing } from '../maybe-promise.js';
import type { Outcome } from '../outcomes.js';
import { cutReason } from '../status-codes.js';
import { dropIfItLingers } from './refuse-upgrade.js';

/** Answers an upgrade with 101 and closes it at once: browsers tell their page a close code, and of a status nothing. */
export function closeUpgrade(
  raw: Socket,
  { webSockets, request }: { readonly webSockets: WebSocketServer; readonly request: IncomingMessage },
  early: readonly Buffer[],
  { closeCode, reason }: Outcome,
): void {
  dropIfItLingers(raw);
  const [head = Buffer.alloc(0), ...rest] = early;
  raw.pause();
  for (const chunk of rest.toReversed()) raw.unshift(chunk);
  webSockets.handleUpgrade(request, raw, head, (socket) => {
    socket.on('error', nothing);
    socket.close(closeCode, cutReason(reason));
    raw.resume();
  });
}
