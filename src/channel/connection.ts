import type { Socket } from 'node:net';
import { inspect } from 'node:util';
import type { WebSocket } from 'ws';
import { type ChannelState, channelCounts } from '../channel-counts.js';
import { checkData, jsonOf, type MessageData } from '../check-data.js';
import { ChannelError, CloseChannel } from '../errors.js';
import { guardedController } from '../guarded-controller.js';
import { Identification } from '../identity/identification.js';
import { kindOf } from '../kind-of.js';
import type { Channel, Handshake } from '../messages.js';
import type { ErrorCode } from '../outcomes.js';
import type { PendingHandler } from '../pending-handlers.js';
import type { SessionAccess } from '../session/session-access.js';
import { cutReason, isCloseCode } from '../status-codes.js';
import type { TokenId } from '../token-id.js';
import type { AnonymousUser, AppUser } from '../users.js';
import { completePrototype } from './complete-prototype.js';
import { closeGraceMs, type Ending, endingFor, orderlyCloseGraceMs, verdictOn } from './ending.js';
import { HeldFrames } from './held-frames.js';
import type { Inbox } from './inbox.js';
import { Outbox } from './outbox.js';
import type { Runtime } from './runtime.js';
import type { SharedFrame } from './shared-frame.js';
import { attachToSocket } from './socket-events.js';
import type { Transport } from './transport.js';
import type { UnfinishedWork } from './unfinished-work.js';
import { tellEnding } from './when-ending.js';

/** Under this symbol, what came says after which others it came: handlers may give channels members of any name. */
export const arrival: unique symbol = Symbol('ws-with.arrival');

/** One connection, as messages and wrappers see it, who can replace nothing of it: who speaks, what is remembered, how it ends. */
export abstract class Connection implements Channel {
  abstract readonly id: string;
  abstract readonly session: SessionAccess;
  [arrival] = 0; // no accessor: assertions tell channels apart by it, and see nothing private
  readonly #identity = new Identification();
  readonly #runtime: Runtime;
  readonly #raw: Socket;
  readonly #via: Transport['via'];
  #wasLive = false;
  #socket: WebSocket | undefined;
  /** What answers the handshake, until that is done. */
  #transport: Transport | undefined;
  #phase: ChannelState | 'ended' = 'connecting';
  #outbox: Outbox | undefined;
  #held: HeldFrames | undefined;
  #controller: AbortController | undefined;
  #cancelTimer: (() => void) | undefined;
  #ending: Ending | undefined;
  #isTooSlow = false;

  constructor(runtime: Runtime, transport: Transport) {
    this.#runtime = runtime;
    this.#raw = transport.raw;
    this.#via = transport.via;
    this.#socket = transport.socket;
    this.#transport = transport;
    if (transport.socket !== undefined) attachToSocket(transport.socket, transport.raw, this);
  }

  /** What is kept of the handshake, once connect has succeeded. */
  abstract readonly handshake: Handshake;
  /** Whether connect has succeeded: disconnect is owed then. */
  abstract readonly hasConnected: boolean;
  /** Whether it handles nothing any more, not even what was received before it ended. */
  abstract readonly isCutOff: boolean;
  /** The way in, which is held while the way out is clogged. */
  abstract get inbox(): Inbox;
  abstract holdInput(isHeld: boolean): void;
  abstract received(data: Buffer, isBinary: boolean): void;
  abstract reauthenticate(key: string): Promise<boolean>;
  /** Ends it, and where it is ending or gone already, what it still has to handle; whether it was open. */
  abstract cutOff(code: ErrorCode): boolean;
  /** The server shuts down: it takes nothing more in, and ends once what it has received is handled. */
  abstract retire(): void;
  /** The handler of `message` has taken longer than `ms` milliseconds. */
  abstract outlasted(message: PendingHandler, ms: number): void;
  /** The handler of `message` is waited for no longer. */
  abstract abandoned(message: PendingHandler): void;
  /** What of it is waited for. */
  abstract readonly unfinished: UnfinishedWork;
  /** The channel begins to end: takes nothing more in. With `drop`, what waits is not handled either. */
  protected abstract stopInput(drop: boolean): void;
  /** The connection is gone. */
  protected abstract gone(closeCode: number, reason: string): void;

  get identity(): Identification {
    return this.#identity;
  }

  get user(): AppUser | AnonymousUser {
    return this.#identity.user;
  }

  get tokenId(): TokenId | undefined {
    return this.#identity.tokenId;
  }

  get runtime(): Runtime {
    return this.#runtime;
  }

  get raw(): Socket {
    return this.#raw;
  }

  get via(): Transport['via'] {
    return this.#via;
  }

  get socket(): WebSocket | undefined {
    return this.#socket;
  }

  get signal(): AbortSignal {
    this.#controller ??= guardedController(this.#runtime.reporter);
    if (!this.isOpen) this.#controller.abort();
    return this.#controller.signal;
  }

  /** Whether connect has succeeded and the handshake was answered. */
  get wasLive(): boolean {
    return this.#wasLive;
  }

  get isConnecting(): boolean {
    return this.#phase === 'connecting';
  }

  get isLive(): boolean {
    return this.#phase === 'live';
  }

  /** Whether it neither ends nor has ended. */
  get isOpen(): boolean {
    return this.#phase === 'connecting' || this.#phase === 'live';
  }

  get hasEnded(): boolean {
    return this.#phase === 'ended';
  }

  send(data: MessageData): boolean {
    checkData('channel.send', data);
    return this.sendFrame(data);
  }

  /** @param frame `data` as it is sent to several channels. */
  sendFrame(data: MessageData, frame?: SharedFrame): boolean {
    if (!this.isOpen) return false;
    const socket = this.#socket;
    if (socket === undefined) {
      this.#held ??= new HeldFrames(this.#runtime.maxBufferedBytes);
      return this.#held.hold(data) || this.#tooSlow();
    }
    if (socket.readyState !== socket.OPEN) return false; // the peer's close frame is here, its connection not gone yet
    this.#outbox ??= new Outbox(socket, this.#raw, this, this.#runtime.maxBufferedBytes);
    return this.#outbox.send(data, frame) || this.#tooSlow();
  }

  #tooSlow(): false {
    if (this.#isTooSlow) return false; // whoever is told of it may send to it, as to a group that it is in
    this.#isTooSlow = true;
    const text = 'A client reads more slowly than it is sent to; its channel is closed (maxBufferedBytes).';
    this.#runtime.reporter.warn(new ChannelError('ERR_SLOW_CONSUMER', text));
    this.#runtime.lifecycle.slow(this);
    this.endWith('ERR_SLOW_CONSUMER');
    return false;
  }

  sendJson(value: unknown): boolean {
    return this.isOpen && this.sendFrame(jsonOf('channel.sendJson', value));
  }

  close(code = 1000, reason = ''): void {
    if (!isCloseCode(code)) throw new TypeError(`channel.close: code must be a close code that a server may send, got ${kindOf(code)}`);
    this.end(verdictOn(new CloseChannel(code, String(reason)), this.#runtime.outcomes).ending);
  }

  terminate(): void {
    this.drop('ERR_CHANNEL_CLOSED');
  }

  /** Ends it because of `code`, without a word to the peer. */
  drop(code: ErrorCode): void {
    if (this.#phase === 'ended') return;
    this.#begin({ ...endingFor(code, this.#runtime.outcomes), closeCode: 1006 });
    this.#outbox?.flush();
    if (this.#socket === undefined) {
      this.#transport?.destroy();
      this.#gone();
    } else this.#socket.terminate();
  }

  /** Ends it as the table of outcomes says for `code`. */
  endWith(code: ErrorCode): void {
    this.end(endingFor(code, this.#runtime.outcomes));
  }

  /** Ends it because of `error`, which a handler threw or the runtime met while it ran `message`. */
  fail(error: unknown, message?: object): void {
    const { code, ending, isReported } = verdictOn(error, this.#runtime.outcomes);
    if (isReported) this.#runtime.reporter.error(error, message);
    else if (code === 'ERR_AUTHENTICATION_REQUIRED' && this.isOpen) this.#runtime.reporter.anonymousRefused(this.#identity.authentication);
    this.end(ending);
  }

  /** Begins to end it, and says why: nothing comes in or goes out any more. After an error, what waits is not handled in any case. */
  end(ending: Ending): void {
    if (!ending.isOrderly) this.stopInput(true);
    if (!this.isOpen) return;
    this.#begin(ending);
    if (this.#transport !== undefined) this.#runtime.lifecycle.refused(this, ending, this.#transport.refusesBy);
    const socket = this.#socket;
    if (socket === undefined) {
      this.#transport?.refuse(ending);
      this.#gone();
      return;
    }
    this.#outbox?.flush();
    socket.resume(); // a paused socket would never see the peer's close frame
    socket.close(ending.closeCode, cutReason(ending.reason));
    this.dropAfter(ending.isOrderly ? orderlyCloseGraceMs : closeGraceMs);
  }

  /** The connection is closed: by the peer, or at the end of our own closing. */
  closed(code: number, reason: string): void {
    this.#begin(undefined);
    this.#ending ??= { code: undefined, status: 400, closeCode: code, reason, isOrderly: true };
    this.#gone();
  }

  /** The peer has closed it, and may keep the connection open for all that. */
  leaving(): void {
    if (!this.isOpen || this.#socket === undefined) return;
    this.#begin(undefined);
    this.dropAfter(closeGraceMs); // ws then gives the peer's code
  }

  /** @param ending ours; `undefined` where the peer ends it. */
  #begin(ending: Ending | undefined): void {
    if (!this.isOpen) return;
    channelCounts[this.isLive ? 'live' : 'connecting'] -= 1;
    channelCounts.closing += 1;
    this.#phase = 'closing';
    this.#ending = ending;
    this.#held = undefined;
    this.stopInput(ending?.isOrderly === false);
    tellEnding(this);
    this.#controller?.abort();
  }

  #gone(): void {
    if (this.#phase === 'ended') return;
    channelCounts.closing -= 1;
    this.#phase = 'ended';
    this.#cancelTimer?.();
    const ending = this.#ending as Ending;
    this.#runtime.lifecycle.closed(this, ending, this.#wasLive);
    this.gone(ending.closeCode, ending.reason);
  }

  /** The one timer of a channel: it closes, and then its connection is dropped. */
  protected dropAfter(ms: number): void {
    if (this.#phase !== 'closing') return;
    this.#cancelTimer?.();
    this.#cancelTimer = this.#runtime.clock.setTimer(() => this.#socket?.terminate(), ms);
  }

  /** The handshake was answered: what the connect handler sent goes out. */
  answered(socket: WebSocket): void {
    this.#socket = socket;
    if (this.isConnecting) attachToSocket(socket, this.#raw, this);
    else socket.terminate(); // it ended while the handshake was being answered, and holds nothing any more
    if (this.#held !== undefined) for (const data of this.#held.all) this.sendFrame(data);
    this.#held = undefined;
  }

  /** Connect is over. */
  protected begin(): void {
    channelCounts.connecting -= 1;
    channelCounts.live += 1;
    this.#phase = 'live';
    this.#wasLive = true;
    this.#transport = undefined;
  }

  toJSON(): object {
    return { id: this.id };
  }

  [inspect.custom](): string {
    return `Channel ${this.id} (${this.#phase})`;
  }
}

completePrototype('Channel', Connection.prototype);
