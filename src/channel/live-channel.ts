import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { inspect, types } from 'node:util';
import type { WebSocket } from 'ws';
import type { Authentication } from '../authentication.js';
import { ChannelError, CloseChannel } from '../errors.js';
import { kindOf } from '../kind-of.js';
import type { Handshake } from '../messages.js';
import type { ErrorCode } from '../outcomes.js';
import type { ChannelRecord } from '../session/channel-record.js';
import { cutReason, isCloseCode } from '../status-codes.js';
import type { TokenId } from '../token-id.js';
import type { AnonymousUser, AppUser } from '../users.js';
import type { ChannelHost, RuntimeChannel, Transport } from './channel-host.js';
import { ChannelIdentity } from './channel-identity.js';
import { ChannelDisconnectMessage, ChannelReceiveMessage } from './channel-message.js';
import { type Ending, endingFor, verdictOn } from './ending.js';
import { handleDisconnect, handleReceive } from './handle.js';
import { Inbox, type InboxOwner } from './inbox.js';
import { copyOf, Outbox } from './outbox.js';
import type { Preparation } from './preparation.js';
import { attachToSocket } from './socket-events.js';

/** Where no wrapper of the server identifies. */
const nothingFound = { outcome: 'missing' } as const;

type Phase = 'connecting' | 'live' | 'closing' | 'ended';

/** How long a channel that we end has to flush and answer the close frame, before its connection is dropped. */
const closeGraceMs = 1_000;
/** The same where the application closes it in order: what was sent before may be much, and the peer's line slow. */
const orderlyCloseGraceMs = 30_000;

/** A UUID is put together of a dozen strings, which would all live as long as the channel. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/** One connection: its state, its way in and its way out. */
export class LiveChannel implements RuntimeChannel, InboxOwner<ChannelReceiveMessage> {
  readonly id: string = flat(randomUUID());
  readonly inbox: Inbox<ChannelReceiveMessage>;
  /** Who connect found, and through what. */
  readonly identity: ChannelIdentity = new ChannelIdentity();
  readonly #host: ChannelHost;
  readonly #transport: Transport;
  #phase: Phase = 'connecting';
  #outbox: Outbox | undefined;
  #held: (string | Uint8Array | ArrayBuffer)[] | undefined;
  #controller: AbortController | undefined;
  #ending: Ending | undefined;
  #cancelGrace: (() => void) | undefined;
  #hasSucceeded = false;
  #isFinished = false;
  #whenFinished: (() => void) | undefined;
  #handshake: Handshake | undefined;
  /** The channel's session, once connect has opened it. */
  record: ChannelRecord | undefined;
  /** What connect finds out; `undefined` afterwards. */
  preparation: Preparation | undefined;

  constructor(host: ChannelHost, transport: Transport) {
    this.#host = host;
    this.#transport = transport;
    this.inbox = new Inbox(this, host.plan.inbox);
    if (transport.socket !== undefined) this.#attach(transport.socket);
  }

  get host(): ChannelHost {
    return this.#host;
  }

  get user(): AppUser | AnonymousUser {
    return this.identity.user;
  }

  get tokenId(): TokenId | undefined {
    return this.identity.tokenId;
  }

  get authentication(): Authentication | undefined {
    return this.identity.authentication;
  }

  get socket(): WebSocket | undefined {
    return this.#transport.socket;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      setMaxListeners(0, this.#controller.signal); // each handler under way may listen: many are no leak
      if (!this.isOpen) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  get handshake(): Handshake {
    return this.#handshake as Handshake;
  }

  get isConnecting(): boolean {
    return this.#phase === 'connecting';
  }

  /** Whether it neither ends nor has ended. */
  get isOpen(): boolean {
    return this.#phase === 'connecting' || this.#phase === 'live';
  }

  send(data: string | Uint8Array | ArrayBuffer): boolean {
    if (typeof data !== 'string' && !ArrayBuffer.isView(data) && !types.isArrayBuffer(data))
      throw new TypeError(`channel.send: data must be a string or bytes, got ${kindOf(data)}`);
    if (!this.isOpen) return false;
    if (this.#outbox === undefined) {
      this.#held ??= [];
      this.#held.push(typeof data === 'string' ? data : copyOf(data));
      return true;
    }
    const socket = this.#transport.socket as WebSocket;
    if (socket.readyState !== socket.OPEN) return false; // the peer's close frame is here, its connection not gone yet
    if (this.#outbox.send(data)) return true;
    this.#warn('ERR_SLOW_CONSUMER', 'A client reads more slowly than it is sent to; its channel is closed (maxBufferedBytes).');
    this.endWith('ERR_SLOW_CONSUMER');
    return false;
  }

  sendJson(value: unknown): boolean {
    if (!this.isOpen) return false;
    const text: string | undefined = JSON.stringify(value);
    if (text === undefined) throw new TypeError(`channel.sendJson: value must be one that JSON can hold, got ${typeof value}`);
    return this.send(text);
  }

  close(code = 1000, reason = ''): void {
    if (!isCloseCode(code)) throw new TypeError(`channel.close: code must be a close code that a server may send, got ${String(code)}`);
    this.end(verdictOn(new CloseChannel(code, String(reason)), this.#host.outcomes).ending);
  }

  terminate(): void {
    if (this.#phase === 'ended') return;
    this.#begin({ ...this.#host.outcomes.ERR_CHANNEL_CLOSED, closeCode: 1006, isOrderly: true });
    this.#outbox?.flush();
    if (this.#transport.socket === undefined) {
      this.#transport.destroy();
      this.#gone();
    } else this.#transport.socket.terminate();
  }

  /** Ends it as the table of outcomes says for `code`. */
  endWith(code: ErrorCode): void {
    this.end(endingFor(code, this.#host.outcomes));
  }

  /** Begins to end it: takes nothing more in, sends nothing more, and says why. */
  end(ending: Ending): void {
    if (!this.isOpen) return;
    this.#begin(ending);
    const socket = this.#transport.socket;
    if (socket === undefined) {
      this.#transport.refuse(ending);
      this.#gone();
      return;
    }
    this.#outbox?.flush();
    socket.resume(); // a paused socket would never see the peer's close frame
    socket.close(ending.closeCode, cutReason(ending.reason));
    const grace = ending.isOrderly ? orderlyCloseGraceMs : closeGraceMs;
    this.#cancelGrace = this.#host.clock.setTimer(() => socket.terminate(), grace);
  }

  #begin(ending: Ending): void {
    if (!this.isOpen) return;
    this.#phase = 'closing';
    this.#ending = ending;
    this.#held = undefined;
    this.preparation?.cancelDeadline();
    this.inbox.close(!ending.isOrderly);
    this.#controller?.abort();
  }

  /** Ends it because of `error`, which a handler threw or the runtime met while it ran `message`. */
  fail(error: unknown, message?: object): void {
    const { code, ending, isReported } = verdictOn(error, this.#host.outcomes);
    if (isReported) this.#host.reporter.error(error, message);
    else if (code === 'ERR_AUTHENTICATION_REQUIRED' && this.isOpen)
      this.#host.reporter.anonymousRefused(this.authentication ?? nothingFound);
    this.end(ending);
  }

  /** Connect has succeeded: from here on disconnect is owed. */
  succeeded(handshake: Handshake): void {
    this.#hasSucceeded = true;
    this.#handshake = handshake;
  }

  /** The handshake is answered too: what has been received is handled. */
  open(): void {
    this.#phase = 'live';
    this.#host.channelOpened(this);
    this.inbox.start();
  }

  /** The handshake was answered: what the connect handler sent goes out. */
  answered(socket: WebSocket): void {
    if (!this.isConnecting) {
      socket.terminate(); // it ended while the handshake was being answered
      return;
    }
    this.#attach(socket);
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const data of held) this.send(data);
  }

  #attach(socket: WebSocket): void {
    this.#outbox = new Outbox(socket, this.#transport.raw, this.inbox, this.#host.maxBufferedBytes);
    attachToSocket(socket, this);
  }

  /** A frame arrived. */
  received(data: Buffer, isBinary: boolean): void {
    if (this.isOpen && this.#host.plan.receive !== undefined) this.inbox.push(new ChannelReceiveMessage(this, data, isBinary));
  }

  /** The connection is closed: by the peer, or at the end of our own closing. */
  closed(code: number, reason: string): void {
    if (this.#phase === 'ended') return;
    this.#begin({ status: 400, closeCode: code, reason, isOrderly: true });
    this.#gone();
  }

  /** The connection is gone; what it left behind is done, disconnect last. */
  #gone(): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#cancelGrace?.();
    this.#host.channelClosed(this);
    void this.#finish();
  }

  async #finish(): Promise<void> {
    const { closeCode, reason } = this.#ending as Ending;
    const { disconnect } = this.#host.plan;
    if (this.#hasSucceeded) {
      await this.inbox.idle();
      if (disconnect !== undefined) await handleDisconnect(this, new ChannelDisconnectMessage(this, closeCode, reason));
    }
    await this.record?.end();
    this.#isFinished = true;
    this.#host.channelFinished(this);
    this.#whenFinished?.();
  }

  /** Resolves once nothing of the channel runs any more. */
  get finished(): Promise<void> {
    if (this.#isFinished) return Promise.resolve();
    return new Promise((resolve) => {
      const earlier = this.#whenFinished;
      this.#whenFinished = () => {
        earlier?.();
        resolve();
      };
    });
  }

  handle(message: ChannelReceiveMessage): Promise<void> | undefined {
    return handleReceive(this, message);
  }

  pauseInput(): void {
    this.#transport.socket?.pause();
  }

  resumeInput(): void {
    this.#transport.socket?.resume();
  }

  get bytesRead(): number {
    return this.#transport.raw.bytesRead;
  }

  overflowed(): void {
    this.#warn('ERR_INPUT_OVERFLOW', 'A client sent more than may wait; its channel is closed (maxQueuedMessages, maxQueuedBytes).');
    this.endWith('ERR_INPUT_OVERFLOW');
  }

  #warn(code: ErrorCode, text: string): void {
    this.#host.reporter.warn(new ChannelError(code, text));
  }

  toJSON(): object {
    return { id: this.id };
  }

  [inspect.custom](): string {
    return `Channel ${this.id} (${this.#phase})`;
  }
}
