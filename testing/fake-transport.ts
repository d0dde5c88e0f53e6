import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { bytesOf } from '../src/channel/frame-format.js';
import type { AnsweredChannel, Transport } from '../src/channel/transport.js';
import type { MessageData } from '../src/check-data.js';
import { queueMicrotask } from '../src/event-loop.js';
import { nothing } from '../src/maybe-promise.js';
import type { Outcome } from '../src/outcomes.js';

/** The part of a `ws` socket that the runtime and handlers use, with a peer that reads at once and answers every close. */
export class FakeSocket extends EventEmitter {
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;
  readonly protocol = '';
  readonly extensions = '';
  readyState = 1;
  bufferedAmount = 0;
  isPaused = false;
  readonly sent: (string | Uint8Array)[] = [];
  closedWith: { readonly code: number; readonly reason: string } | undefined;

  send(data: MessageData): void {
    if (this.readyState === this.OPEN) this.sent.push(typeof data === 'string' ? data : new Uint8Array(bytesOf(data)));
  }

  close(code = 1005, reason = ''): void {
    this.end(code, reason);
  }

  terminate(): void {
    this.end(1006, '');
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  /** The connection ends, whoever ended it. */
  end(code: number, reason: string): void {
    if (this.readyState >= this.CLOSING) return;
    this.readyState = this.CLOSING;
    this.closedWith = { code, reason };
    queueMicrotask(() => {
      this.readyState = this.CLOSED;
      this.emit('close', code, Buffer.from(reason));
    });
  }
}

/** A connection without a network. */
export class FakeTransport implements Transport {
  readonly via: 'upgrade' | 'accept';
  readonly refusesBy: 'status' | 'close';
  readonly isOverfull = false;
  readonly raw: Socket = { cork() {}, uncork() {}, on() {}, bytesRead: Number.NaN } as unknown as Socket;
  readonly fake = new FakeSocket();
  socket: WebSocket | undefined;
  refusal: { readonly status: number } | undefined;
  /** Resolves when connect has succeeded, or the handshake was refused or the connection dropped. */
  readonly settled: Promise<void>;
  #settle: () => void = nothing;

  /** @param via how the handshake is answered: after connect, or before. */
  constructor(via: 'upgrade' | 'accept') {
    this.via = via;
    this.refusesBy = via === 'upgrade' ? 'status' : 'close';
    this.settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
    if (via === 'upgrade') return;
    this.socket = this.fake as unknown as WebSocket;
    this.fake.once('close', this.#settle);
  }

  watch(): void {} // nothing happens before the answer that its peer would not say

  answer(channel: AnsweredChannel): boolean {
    if (this.socket === undefined) {
      this.socket = this.fake as unknown as WebSocket;
      channel.answered(this.socket);
    }
    this.#settle();
    return true;
  }

  refuse({ status }: Outcome): void {
    this.refusal = { status };
    this.#settle();
  }

  destroy(): void {
    this.fake.closedWith = { code: 1006, reason: '' };
    this.#settle();
  }
}
