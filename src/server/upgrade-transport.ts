import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocket, WebSocketServer } from 'ws';
import type { Transport } from '../channel/transport.js';
import type { Outcome } from '../outcomes.js';
import { type ClosingAnswer, closeUpgrade } from './close-upgrade.js';
import { refuseUpgrade } from './refuse-upgrade.js';
import type { SocketClaim } from './upgrade-routes.js';

/** Told what happens on the raw socket while connect is pending. */
interface PendingEvents {
  /** The client has gone away. */
  gone(): void;
  /** It has sent more than may wait. */
  overflowed(): void;
  /** Somebody else has answered the upgrade, or dropped its connection. */
  taken(): void;
}

/** What arrives on a raw socket before its upgrade is answered. */
class EarlyInput {
  readonly #raw: Socket;
  readonly #claim: SocketClaim;
  readonly #maxBytes: number;
  readonly #chunks: Buffer[];
  #bytes: number;
  #events: PendingEvents | undefined;

  constructor(raw: Socket, claim: SocketClaim, head: Buffer, maxBytes: number) {
    this.#raw = raw;
    this.#claim = claim;
    this.#maxBytes = maxBytes;
    this.#chunks = head.length > 0 ? [head] : [];
    this.#bytes = head.length;
  }

  watch(events: PendingEvents): void {
    this.#events = events;
    this.#raw.on('data', this.#onData);
    this.#raw.on('end', this.#onEnd);
    this.#raw.on('finish', this.#onFinish);
    this.#raw.on('close', this.#onClose);
    if (this.#raw.destroyed || this.#raw.readableEnded) this.#drop();
    else this.#judge();
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#claim.isAnswered) {
      this.#leave();
      return;
    }
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.#judge();
  };

  readonly #onEnd = (): void => {
    if (this.#claim.isAnswered) this.#leave();
    else this.#drop();
  };

  /** Not by us, who listen no more then. */
  readonly #onFinish = (): void => this.#leave();

  readonly #onClose = (hadError: boolean): void => {
    // a client that leaves ends its side first, or resets the connection; whoever drops it in this process does neither
    const isOurDoing = this.#claim.isBegun || !(hadError || this.#raw.readableEnded);
    if (isOurDoing) this.#leave();
    else this.#drop();
  };

  /** The client is gone. */
  #drop(): void {
    const events = this.#events;
    this.#forget();
    events?.gone();
    this.#raw.destroy();
  }

  /** The connection is somebody else's. */
  #leave(): void {
    const events = this.#events;
    this.#forget();
    events?.taken();
  }

  #forget(): void {
    this.release();
    this.#chunks.length = 0; // a look-up that hangs may hold on to us
  }

  #judge(): void {
    if (this.#bytes > this.#maxBytes) this.#events?.overflowed();
    else if (this.#bytes > this.#maxBytes / 2) this.#raw.pause();
  }

  /** Listens no more, and gives what has arrived: in pieces as it came, so that reading can be paused between them. */
  release(): readonly Buffer[] {
    this.#events = undefined;
    this.#raw.off('data', this.#onData);
    this.#raw.off('end', this.#onEnd);
    this.#raw.off('finish', this.#onFinish);
    this.#raw.off('close', this.#onClose);
    return this.#chunks;
  }
}

/** What an upgrade needs until it is answered, and is let go of then. */
interface Pending {
  readonly webSockets: WebSocketServer;
  readonly request: IncomingMessage;
  readonly input: EarlyInput;
  /** Told where somebody else answers it. */
  readonly onTaken: () => void;
}

/** What an {@link UpgradeTransport} is made of. */
export interface PendingUpgrade extends Omit<Pending, 'input'> {
  readonly claim: SocketClaim;
  readonly head: Buffer;
  /** How much input may wait for the answer. */
  readonly maxBytes: number;
  /** Answers a handshake that is refused, where that is done by a close code. */
  readonly refusals: WebSocketServer | undefined;
}

/**
 * An upgrade that is not answered yet. The raw socket is read meanwhile, or nobody would notice that the client left; what it sends is
 * kept, within bounds, and becomes the head of the upgrade. What somebody else has answered is not touched.
 */
export class UpgradeTransport implements Transport {
  readonly via = 'upgrade';
  readonly raw: Socket;
  socket: WebSocket | undefined;
  /** Lines that go with the 101. */
  headers: readonly string[] = [];
  readonly refusesBy: Transport['refusesBy'];
  readonly #claim: SocketClaim;
  #pending: Pending | undefined;
  /** Set where a refusal is a close code, until the handshake is answered. */
  #closing: ClosingAnswer | undefined;
  /** Set while ws is to answer. */
  #answering: { readonly failed: () => void; readonly threw: (error: unknown) => void; readonly onTaken: () => void } | undefined;

  constructor({ webSockets, request, claim, head, maxBytes, refusals, onTaken }: PendingUpgrade) {
    this.refusesBy = refusals === undefined ? 'status' : 'close';
    this.#closing = refusals && { webSockets: refusals, request };
    this.raw = claim.socket as Socket;
    this.#claim = claim;
    this.#pending = { webSockets, request, onTaken, input: new EarlyInput(this.raw, claim, head, maxBytes) };
  }

  /** Begins to read. */
  watch(events: Omit<PendingEvents, 'taken'>): void {
    const taken = (): void => {
      this.#release()?.onTaken();
      events.gone();
    };
    this.#pending?.input.watch({ gone: () => events.gone(), overflowed: () => events.overflowed(), taken });
  }

  answer(onSocket: (socket: WebSocket) => void, headers: readonly string[]): Promise<boolean> {
    this.headers = headers;
    const pending = this.#pending;
    if (pending === undefined || this.#isTaken()) return Promise.resolve(false);
    this.#pending = undefined;
    const [head = Buffer.alloc(0), ...rest] = pending.input.release();
    this.raw.pause(); // nothing may arrive between our listeners and those of ws
    for (const chunk of rest.reverse()) this.raw.unshift(chunk);
    return new Promise((resolve, reject) => {
      const failed = (): void => {
        this.#answering = undefined;
        this.raw.off('close', failed);
        resolve(false);
      };
      const threw = (error: unknown): void => {
        this.#answering = undefined;
        this.raw.off('close', failed);
        reject(error as Error);
      };
      this.#answering = { failed, threw, onTaken: pending.onTaken };
      this.raw.once('close', failed);
      try {
        pending.webSockets.handleUpgrade(pending.request, this.raw, head, (socket) => {
          this.#answering = undefined;
          this.raw.off('close', failed);
          this.socket = socket;
          this.#closing = undefined;
          onSocket(socket);
          this.raw.resume(); // ws does not resume what was paused
          resolve(true);
        });
      } catch (error) {
        threw(error); // a verifyClient of the application, say
      }
    });
  }

  /** Whether ws may still answer, after a `verifyClient` that took its time. */
  mayAnswer(): boolean {
    const answering = this.#answering;
    if (answering === undefined) return false;
    if (!this.#claim.isAnswered) return true;
    answering.onTaken();
    answering.failed();
    return false;
  }

  /** The answer cannot be given, because of `error`: `false` where nobody waits for it any more. */
  failAnswer(error: unknown): boolean {
    const answering = this.#answering;
    answering?.threw(error);
    return answering !== undefined;
  }

  refuse(outcome: Outcome): void {
    const isTaken = this.#isTaken();
    const closing = this.#closing;
    const early = this.#release()?.input.release() ?? [];
    if (isTaken) return;
    if (closing === undefined || !this.raw.writable) refuseUpgrade(this.raw, outcome.status);
    else closeUpgrade(this.raw, closing, early, outcome);
  }

  destroy(): void {
    const isTaken = this.#isTaken();
    this.#release();
    if (!isTaken) this.raw.destroy();
  }

  /** Whether somebody else has answered; who waits for that is told, once. */
  #isTaken(): boolean {
    if (!this.#claim.isAnswered) return false;
    this.#release()?.onTaken();
    return true;
  }

  #release(): Pending | undefined {
    const pending = this.#pending;
    pending?.input.release();
    this.#pending = undefined;
    this.#answering = undefined;
    this.#closing = undefined;
    return pending;
  }
}
