import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Outcome } from '../outcomes.js';

/** What a client is told whose handshake is refused. */
export interface Refusal extends Outcome {
  /** When it makes sense to come back; `undefined` where that is not known. */
  readonly retryAfterMs?: number | undefined;
}

/** Whose handshake is answered. */
export interface AnsweredChannel {
  /** It was answered: nothing has arrived on `socket` yet. */
  answered(socket: WebSocket): void;
}

/** A channel whose handshake is not answered yet. */
export interface PendingChannel {
  /** Its connection is gone. */
  closed(code: number, reason: string): void;
  /** Its client has sent more than may wait. */
  overflowed(): void;
}

/** A connection as it is before or after its handshake is answered. */
export interface Transport {
  /** Whether the handshake is answered by us or was answered before. */
  readonly via: 'upgrade' | 'accept';
  /** Whether more has come with the handshake than may wait. */
  readonly isOverfull: boolean;
  /** The raw socket, which is corked. */
  readonly raw: Socket;
  /** The socket, where the handshake is answered already. */
  readonly socket: WebSocket | undefined;
  /** Tells `channel` what happens before its handshake is answered, which has to wait. */
  watch(channel: PendingChannel): void;
  /**
   * Connect has succeeded: answers the handshake of `channel` with 101, if it is not answered yet.
   *
   * @param headers lines to go with the 101, if any.
   * @returns whether there is a socket now; a promise of it where the answer takes its time.
   */
  answer(channel: AnsweredChannel, headers: readonly string[] | undefined): boolean | Promise<boolean>;
  /** How the peer is told of a refusal. */
  readonly refusesBy: 'status' | 'close';
  /** Answers the handshake with a status, or with a close code at once. */
  refuse(refusal: Refusal): void;
  /** Drops the connection without an answer. */
  destroy(): void;
}
