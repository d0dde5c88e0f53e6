import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocket, WebSocketServer } from 'ws';
import type { Transport } from '../channel/channel-host.js';
import type { Outcome } from '../outcomes.js';
import { refuseUpgrade } from './refuse-upgrade.js';

/** Told what happens on the raw socket while connect is pending. */
export interface PendingEvents {
  /** The client has gone away. */
  gone(): void;
  /** It has sent more than may wait. */
  overflowed(): void;
}

/**
 * An upgrade that is not answered yet. The raw socket is read meanwhile, or nobody would notice that the client left; what it sends is
 * kept, within bounds, and becomes the head of the upgrade.
 */
export class UpgradeTransport implements Transport {
  readonly raw: Socket;
  socket: WebSocket | undefined;
  readonly #request: IncomingMessage;
  readonly #webSockets: WebSocketServer;
  readonly #maxBytes: number;
  readonly #early: Buffer[];
  #earlyBytes: number;
  #events: PendingEvents | undefined;

  constructor(webSockets: WebSocketServer, request: IncomingMessage, raw: Socket, head: Buffer, maxBytes: number) {
    this.#webSockets = webSockets;
    this.#request = request;
    this.raw = raw;
    this.#maxBytes = maxBytes;
    this.#early = head.length > 0 ? [head] : [];
    this.#earlyBytes = head.length;
  }

  /** Begins to read. */
  watch(events: PendingEvents): void {
    this.#events = events;
    this.raw.on('data', this.#onData);
    this.raw.on('end', this.#onGone);
    this.raw.on('close', this.#onGone);
    if (this.raw.destroyed || this.raw.readableEnded) events.gone();
    else this.#judge();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#early.push(chunk);
    this.#earlyBytes += chunk.length;
    this.#judge();
  };

  #judge(): void {
    if (this.#earlyBytes > this.#maxBytes) this.#events?.overflowed();
    else if (this.#earlyBytes > this.#maxBytes / 2) this.raw.pause();
  }

  readonly #onGone = (): void => {
    this.#events?.gone();
    this.#release();
    this.raw.destroy();
  };

  #release(): void {
    this.#events = undefined;
    this.raw.off('data', this.#onData);
    this.raw.off('end', this.#onGone);
    this.raw.off('close', this.#onGone);
  }

  answer(onSocket: (socket: WebSocket) => void): Promise<boolean> {
    this.#release();
    this.raw.pause(); // nothing may arrive between our listeners and those of ws
    const head = this.#early.length === 1 ? (this.#early[0] as Buffer) : Buffer.concat(this.#early);
    this.#early.length = 0;
    return new Promise((resolve, reject) => {
      const failed = (): void => resolve(false);
      this.raw.once('close', failed);
      try {
        this.#webSockets.handleUpgrade(this.#request, this.raw, head, (socket) => {
          this.raw.off('close', failed);
          this.socket = socket;
          onSocket(socket);
          this.raw.resume(); // ws does not resume what was paused
          resolve(true);
        });
      } catch (error) {
        reject(error as Error); // a verifyClient of the application threw
      }
    });
  }

  refuse(outcome: Outcome): void {
    this.#release();
    this.#early.length = 0;
    refuseUpgrade(this.raw, outcome.status);
  }

  destroy(): void {
    this.#release();
    this.raw.destroy();
  }
}
