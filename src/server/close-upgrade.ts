import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocketServer } from 'ws';
import { nothing } from '../maybe-promise.js';
import type { Outcome } from '../outcomes.js';
import { cutReason } from '../status-codes.js';
import { dropIfItLingers } from './refuse-upgrade.js';

/** What answers a handshake that is refused by a close code. */
export interface ClosingAnswer {
  readonly webSockets: WebSocketServer;
  readonly request: IncomingMessage;
}

/** Answers an upgrade with 101 and closes it at once: browsers tell their page a close code, and of a status nothing. */
export function closeUpgrade(raw: Socket, answer: ClosingAnswer, early: readonly Buffer[], { closeCode, reason }: Outcome): void {
  const { webSockets, request } = answer;
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
