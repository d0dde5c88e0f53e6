import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocket, WebSocketServer } from 'ws';
import type { AnsweredChannel, PendingChannel, Refusal, Transport } from '../channel/transport.js';
import { closeUpgrade } from './close-upgrade.js';
import { EarlyInput } from './early-input.js';
import { ignoreError } from './ignore-error.js';
import { refuseUpgrade } from './refuse-upgrade.js';
import type { SocketClaim } from './upgrade-routes.js';

/** Who answers upgrades, each in the same way. */
export interface UpgradeAnswerer {
  readonly webSockets: WebSocketServer;
  /** Answers a handshake that is refused, where that is done by a close code. */
  readonly refusals: WebSocketServer | undefined;
  /** Whether `webSockets` may take its time, as an application's `verifyClient` does. */
  readonly takesTime: boolean;
  /** How much input may wait for the answer. */
  readonly maxBytes: number;
  /** Told where somebody else answers. */
  taken(claim: SocketClaim): void;
}

/** What an upgrade needs until it is answered, and is let go of then. */
interface Pending {
  readonly request: IncomingMessage;
  readonly claim: SocketClaim;
  readonly head: Buffer;
  /** Set where the answer does not come at once. */
  early: EarlyInput | undefined;
  /** Lines that go with the 101. */
  headers: readonly string[];
  /** Set where the socket was paused for its answer. */
  isPaused: boolean;
  /** Whose handshake it is, once that is answered. */
  channel: AnsweredChannel | undefined;
  /** Set while ws takes its time to answer. */
  answering: { done(isAnswered: boolean): void; threw(error: unknown): void } | undefined;
}

const transportOf: unique symbol = Symbol('ws-with.transport');

interface UpgradeRequest extends IncomingMessage {
  [transportOf]?: UpgradeTransport;
}

const noLines: readonly string[] = Object.freeze([]);
const noBytes: Buffer = Buffer.alloc(0);

/** The same for all, so that no handshake has a closure of its own. */
function onOpen(socket: WebSocket, request: UpgradeRequest): void {
  request[transportOf]?.opened(socket);
}

/**
 * An upgrade that is not answered yet. The raw socket is read meanwhile, or nobody would notice that the client left; what it sends is
 * kept, within bounds, and becomes the head of the upgrade. What somebody else has answered is not touched.
 */
export class UpgradeTransport implements Transport {
  readonly raw: Socket;
  socket: WebSocket | undefined;
  /** The subprotocol that is agreed on. */
  protocol: string | false = false;
  readonly #answerer: UpgradeAnswerer;
  #pending: Pending | undefined;

  constructor(answerer: UpgradeAnswerer, request: IncomingMessage, claim: SocketClaim, head: Buffer) {
    this.raw = claim.socket as Socket;
    this.#answerer = answerer;
    this.#pending = { request, claim, head, early: undefined, headers: noLines, isPaused: false, channel: undefined, answering: undefined };
    (request as UpgradeRequest)[transportOf] = this;
  }

  /** The transport of an upgrade that is under way. */
  static of(request: IncomingMessage): UpgradeTransport | undefined {
    return (request as UpgradeRequest)[transportOf];
  }

  get via(): 'upgrade' {
    return 'upgrade';
  }

  get refusesBy(): Transport['refusesBy'] {
    return this.#answerer.refusals === undefined ? 'status' : 'close';
  }

  get isOverfull(): boolean {
    return this.#pending !== undefined && this.#pending.head.length > this.#answerer.maxBytes;
  }

  /** Lines that go with the 101. */
  get headers(): readonly string[] {
    return this.#pending?.headers ?? noLines;
  }

  watch(channel: PendingChannel): void {
    const pending = this.#pending;
    if (pending === undefined || pending.answering !== undefined) return;
    const { claim, head } = pending;
    pending.early = new EarlyInput(claim, head, this.#answerer.maxBytes);
    pending.early.watch({
      gone: () => {
        this.#pending = undefined;
        channel.closed(1006, '');
      },
      overflowed: () => channel.overflowed(),
      taken: () => {
        this.#pending = undefined;
        this.#answerer.taken(claim);
        channel.closed(1006, '');
      },
    });
  }

  answer(channel: AnsweredChannel, headers: readonly string[] = noLines): boolean | Promise<boolean> {
    const pending = this.#pending;
    if (pending === undefined || this.#isTaken(pending)) return false;
    pending.channel = channel;
    pending.headers = headers;
    const head = this.#headOf(pending);
    const { webSockets, takesTime } = this.#answerer;
    this.raw.off('error', ignoreError); // ws has its own from here on
    if (takesTime) return this.#answerInTime(pending, head);
    webSockets.handleUpgrade(pending.request, this.raw, head, onOpen);
    this.#pending = undefined; // where ws has refused it, that is its answer
    return this.socket !== undefined;
  }

  /** What ws is to read first. Where input was watched for, that is the first of what came, and the socket gets the rest back. */
  #headOf(pending: Pending): Buffer {
    if (pending.early === undefined) return pending.head;
    const [head = noBytes, ...others] = pending.early.release();
    pending.early = undefined;
    this.raw.pause(); // nothing may arrive between our listeners and those of ws
    pending.isPaused = true;
    for (const chunk of others.reverse()) this.raw.unshift(chunk);
    return head;
  }

  /** ws has answered with 101. */
  opened(socket: WebSocket): void {
    const pending = this.#pending;
    this.#pending = undefined;
    this.socket = socket;
    pending?.channel?.answered(socket);
    if (pending?.isPaused === true) this.raw.resume(); // ws does not resume what was paused
    pending?.answering?.done(true);
  }

  /** Meanwhile the connection may go, or be answered by somebody else. */
  #answerInTime(pending: Pending, head: Buffer): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const over = (): void => {
        pending.answering = undefined;
        this.raw.off('close', gone);
      };
      const gone = (): void => pending.answering?.done(false);
      pending.answering = {
        done: (isAnswered) => {
          over();
          resolve(isAnswered);
        },
        threw: (error) => {
          over();
          reject(error as Error);
        },
      };
      this.raw.once('close', gone);
      try {
        this.#answerer.webSockets.handleUpgrade(pending.request, this.raw, head, onOpen);
      } catch (error) {
        pending.answering?.threw(error); // a verifyClient of the application, say
      }
    });
  }

  /** Whether ws may still answer, after a `verifyClient` that took its time. */
  mayAnswer(): boolean {
    const pending = this.#pending;
    if (pending?.answering === undefined) return false;
    if (!this.#isTaken(pending)) return true;
    pending.answering.done(false);
    return false;
  }

  /** The answer cannot be given, because of `error`: `false` where nobody waits for it any more. */
  failAnswer(error: unknown): boolean {
    const answering = this.#pending?.answering;
    answering?.threw(error);
    return answering !== undefined;
  }

  refuse(refusal: Refusal): void {
    const pending = this.#pending;
    if (pending === undefined || this.#isTaken(pending)) return;
    const { refusals } = this.#answerer;
    const early = pending.early?.release();
    if (refusals === undefined || !this.raw.writable) refuseUpgrade(this.raw, refusal);
    else closeUpgrade(this.raw, { webSockets: refusals, request: pending.request }, early ?? [pending.head], refusal);
    this.#pending = undefined;
  }

  destroy(): void {
    const pending = this.#pending;
    if (pending === undefined || this.#isTaken(pending)) return;
    pending.early?.release();
    this.#pending = undefined;
    this.raw.destroy();
  }

  /** Whether there is nothing left to answer; where somebody else has done that, who waits for it is told, once. */
  #isTaken({ claim, early }: Pending): boolean {
    if (!claim.isAnswered) return false;
    early?.release();
    this.#pending = undefined;
    if (!claim.hasPeerLeft) this.#answerer.taken(claim);
    return true;
  }
}
