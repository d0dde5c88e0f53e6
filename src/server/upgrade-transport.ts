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

/** What arrives on a raw socket before its upgrade is answered. */
class EarlyInput {
  readonly #raw: Socket;
  readonly #maxBytes: number;
  readonly #chunks: Buffer[];
  #bytes: number;
  #events: PendingEvents | undefined;

  constructor(raw: Socket, head: Buffer, maxBytes: number) {
    this.#raw = raw;
    this.#maxBytes = maxBytes;
    this.#chunks = head.length > 0 ? [head] : [];
    this.#bytes = head.length;
  }

  watch(events: PendingEvents): void {
    this.#events = events;
    this.#raw.on('data', this.#onData);
    this.#raw.on('end', this.#onGone);
    this.#raw.on('close', this.#onGone);
    if (this.#raw.destroyed || this.#raw.readableEnded) events.gone();
    else this.#judge();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.#judge();
  };

  readonly #onGone = (): void => {
    this.#events?.gone();
    this.release();
    this.#chunks.length = 0; // a look-up that hangs may hold on to us
    this.#raw.destroy();
  };

  #judge(): void {
    if (this.#bytes > this.#maxBytes) this.#events?.overflowed();
    else if (this.#bytes > this.#maxBytes / 2) this.#raw.pause();
  }

  /** Listens no more, and gives what has arrived: in pieces as it came, so that reading can be paused between them. */
  release(): readonly Buffer[] {
    this.#events = undefined;
    this.#raw.off('data', this.#onData);
    this.#raw.off('end', this.#onGone);
    this.#raw.off('close', this.#onGone);
    return this.#chunks;
  }
}

/** What an upgrade needs until it is answered, and is let go of then. */
interface Pending {
  readonly webSockets: WebSocketServer;
  readonly request: IncomingMessage;
  readonly input: EarlyInput;
}

/**
 * An upgrade that is not answered yet. The raw socket is read meanwhile, or nobody would notice that the client left; what it sends is
 * kept, within bounds, and becomes the head of the upgrade.
 */
export class UpgradeTransport implements Transport {
  readonly raw: Socket;
  socket: WebSocket | undefined;
  #pending: Pending | undefined;

  constructor(webSockets: WebSocketServer, request: IncomingMessage, raw: Socket, head: Buffer, maxBytes: number) {
    this.raw = raw;
    this.#pending = { webSockets, request, input: new EarlyInput(raw, head, maxBytes) };
  }

  /** Begins to read. */
  watch(events: PendingEvents): void {
    this.#pending?.input.watch(events);
  }

  answer(onSocket: (socket: WebSocket) => void): Promise<boolean> {
    const pending = this.#pending;
    if (pending === undefined) return Promise.resolve(false);
    this.#pending = undefined;
    const [head = Buffer.alloc(0), ...rest] = pending.input.release();
    this.raw.pause(); // nothing may arrive between our listeners and those of ws
    for (const chunk of rest.reverse()) this.raw.unshift(chunk);
    return new Promise((resolve, reject) => {
      const failed = (): void => resolve(false);
      this.raw.once('close', failed);
      try {
        pending.webSockets.handleUpgrade(pending.request, this.raw, head, (socket) => {
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
    refuseUpgrade(this.raw, outcome.status);
  }

  destroy(): void {
    this.#release();
    this.raw.destroy();
  }

  #release(): void {
    this.#pending?.input.release();
    this.#pending = undefined;
  }
}
