import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Outcome } from '../outcomes.js';

/** A connection as it is before or after its handshake is answered. */
export interface Transport {
  /** Whether the handshake is answered by us or was answered before. */
  readonly via: 'upgrade' | 'accept';
  /** The raw socket, which is corked. */
  readonly raw: Socket;
  /** The socket, where the handshake is answered already. */
  readonly socket: WebSocket | undefined;
  /**
   * Answers the handshake with 101. `onSocket` gets the socket before anything can arrive on it.
   *
   * @param headers lines to go with the 101.
   * @returns whether there is a socket now.
   */
  answer(onSocket: (socket: WebSocket) => void, headers: readonly string[]): Promise<boolean>;
  /** How the peer is told of a refusal. */
  readonly refusesBy: 'status' | 'close';
  /** Answers the handshake with a status, or with a close code at once. */
  refuse(outcome: Outcome): void;
  /** Drops the connection without an answer. */
  destroy(): void;
}
