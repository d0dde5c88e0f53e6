import { ChannelError } from '../errors.js';
import type { KeptHandshake } from '../handshake.js';
import { isThenable, promiseOf } from '../maybe-promise.js';
import type { Handshake } from '../messages.js';
import type { ErrorCode } from '../outcomes.js';
import type { PendingHandler } from '../pending-handlers.js';
import { SessionAccess } from '../session/session-access.js';
import { type ChannelMessage, ChannelReceiveMessage } from './channel-message.js';
import type { ChannelRegistry } from './channel-registry.js';
import { completePrototype } from './complete-prototype.js';
import { Connection } from './connection.js';
import { Disconnecting } from './disconnecting.js';
import { closeGraceMs } from './ending.js';
import { type Beating, beatPlace, beatSlot, heard, isPinged } from './heartbeat.js';
import { Inbox, type InboxOwner } from './inbox.js';
import { awaitOutcome } from './outcome-wait.js';
import type { Runtime } from './runtime.js';
import { checkReturned, type SlotFunction } from './slots.js';
import type { Transport } from './transport.js';
import type { UnfinishedWork } from './unfinished-work.js';
import { tellEnding } from './when-ending.js';

/** The connect of a channel, as long as it runs. */
export interface PendingConnect {
  /** Whether it is the handler's turn, or the save's of what that has changed. */
  readonly isHandling: boolean;
  /** Its channel has ended: it has no deadline any more. */
  cancelDeadline(): void;
}

/** A channel's life: what arrives on it is handled in order, disconnect last. */
export class LiveChannel extends Connection implements InboxOwner<ChannelReceiveMessage>, Beating {
  accessor [heard] = 0;
  accessor [isPinged] = false;
  accessor [beatSlot] = -1;
  accessor [beatPlace] = -1;
  readonly #registry: ChannelRegistry;
  #id: string | undefined;
  #session: SessionAccess | undefined;
  #inbox: Inbox<ChannelReceiveMessage> | undefined;
  #kept: KeptHandshake | undefined;
  #isCutOff = false;
  #isFinished = false;
  #whenFinished: readonly (() => void)[] | undefined;
  /** Set while its connect runs. */
  #connecting: PendingConnect | undefined;
  /** Set while its connect handler is at work although it has ended. */
  #lingering: object | undefined;
  /** Set from when its connection is gone, if it owes a handler anything then. */
  #disconnecting: Disconnecting | undefined;

  constructor(runtime: Runtime, registry: ChannelRegistry, transport: Transport) {
    super(runtime, transport);
    this.#registry = registry;
  }

  /** Its connect runs. */
  connectBegun(connecting: PendingConnect): void {
    this.#connecting = connecting;
  }

  /** Its connect is done, well or not, or has run out of time. */
  connectOver(): void {
    this.#connecting = undefined;
    if (this.#lingering !== undefined) this.#registry.lingersNoMore(this.#lingering);
    this.#lingering = undefined;
  }

  /** Connect is over and the handshake answered: what has been received is handled. */
  live(): void {
    this.begin();
    this.#registry.opened();
    const { events, lifecycle, heartbeat } = this.runtime;
    this[beatPlace] = heartbeat.newcomers.push(this) - 1;
    if (!heartbeat.isBeating) heartbeat.begin();
    if (events.audience.handshake.hasSubscribers) lifecycle.opened(this);
    this.#inbox?.start();
  }

  reauthenticate(key: string): Promise<boolean> {
    return this.#registry.watch.reauthenticate(this, key);
  }

  /** Made when somebody asks for it: what nobody knows, nobody can look for. */
  get id(): string {
    this.#id ??= this.#registry.named(this);
    return this.#id;
  }

  /** Made at its first use, which may come when the channel is over: then it is as well. */
  get session(): SessionAccess {
    if (this.#session === undefined) {
      this.#session = new SessionAccess(this.runtime.sessions, this.runtime.opensSessions);
      if (this.#isFinished) void this.#session.end();
    }
    return this.#session;
  }

  get handshake(): Handshake {
    return (this.#kept as KeptHandshake).whole;
  }

  get hasConnected(): boolean {
    return this.#kept !== undefined;
  }

  /** Connect has succeeded: from here on disconnect is owed. */
  connected(handshake: KeptHandshake): void {
    this.#kept = handshake;
  }

  /** Made when something first arrives: many channels only listen. */
  get inbox(): Inbox<ChannelReceiveMessage> {
    if (this.#inbox === undefined) {
      this.#kept?.rememberAddress(); // its peer may be gone when a handler wants to know
      this.#inbox = new Inbox(this, this.runtime.plan.inbox);
      if (this.isLive) this.#inbox.start();
    }
    return this.#inbox;
  }

  received(data: Buffer, isBinary: boolean): void {
    if (this.isOpen && this.runtime.plan.receive !== undefined) this.inbox.push(new ChannelReceiveMessage(this, data, isBinary));
  }

  /** Runs the receive handler, then saves what it changed; whatever goes wrong ends the channel. */
  handle(message: ChannelReceiveMessage): boolean {
    const checking = this.#registry.watch.beforeMessage?.(this);
    if (checking === undefined) return this.#run(message);
    void this.#runAfter(checking, message);
    return false;
  }

  /** The channel is looked up again first, which may be its end. */
  async #runAfter(checking: Promise<void>, message: ChannelReceiveMessage): Promise<void> {
    await checking;
    if (this.isCutOff) message.seal();
    else if (!this.#run(message)) return;
    this.inbox.done(message);
  }

  /** Whether `message` is done with. */
  #run(message: ChannelReceiveMessage): boolean {
    try {
      const result = (this.runtime.plan.receive as SlotFunction)(message);
      if (result !== undefined && isThenable(result)) return this.#waitFor(promiseOf(result), message, true);
      if (result !== undefined) checkReturned('receive', result);
      const saving = message.commit();
      return saving === undefined || this.#waitFor(saving, message, false);
    } catch (error) {
      this.#failed(error, message);
      return true;
    }
  }

  /** Waits for the handler, or else for the save after it. */
  #waitFor(pending: Promise<unknown>, message: ChannelReceiveMessage, isHandler: boolean): false {
    this.runtime.handlers.begin(message);
    awaitOutcome(pending, this, message, isHandler);
    return false;
  }

  fulfilled(value: unknown, message: ChannelReceiveMessage, isHandler: boolean): void {
    if (isHandler) this.#returned(value, message);
    else this.#over(message);
  }

  /** Its handler has succeeded, after it was waited for. */
  #returned(returned: unknown, message: ChannelReceiveMessage): void {
    try {
      if (!message.isAbandoned) checkReturned('receive', returned);
      const saving = message.isAbandoned ? undefined : message.commit();
      if (saving === undefined) this.#over(message);
      else this.#waitFor(saving, message, false);
    } catch (error) {
      this.rejected(error, message);
    }
  }

  rejected(error: unknown, message: ChannelReceiveMessage): void {
    if (!message.isAbandoned) this.#failed(error, message);
    this.#over(message);
  }

  /** What was waited for is done, well or not. */
  #over(message: ChannelReceiveMessage): void {
    this.runtime.handlers.end(message);
    if (!message.isAbandoned) this.inbox.done(message);
  }

  #failed(error: unknown, message: ChannelReceiveMessage): void {
    message.seal();
    tellEnding(message);
    this.fail(error, message);
  }

  outlasted(message: ChannelMessage, ms: number): void {
    this.fail(new ChannelError('ERR_HANDLER_TIMEOUT', `A ${message.kind} handler took longer than handlerTimeoutMs (${ms}).`), message);
    message.abandon();
  }

  abandoned(message: PendingHandler): void {
    this.stopInput(true); // what waits behind it may take as long
    if (message instanceof ChannelReceiveMessage) this.#inbox?.done(message);
    else this.#disconnecting?.abandon();
  }

  holdInput(isHeld: boolean): void {
    if (isHeld) this.inbox.hold();
    else this.inbox.release();
  }

  get bytesRead(): number {
    return (this.raw as { readonly bytesRead?: number }).bytesRead ?? 0; // on a line that counts no bytes, what comes was read at once
  }

  silent(): void {
    this.drop('ERR_PEER_SILENT');
  }

  overflowed(): void {
    const text = 'A client sent more than may wait; its channel is closed (maxQueuedMessages, maxQueuedBytes).';
    this.runtime.reporter.warn(new ChannelError('ERR_INPUT_OVERFLOW', text));
    this.endWith('ERR_INPUT_OVERFLOW');
  }

  cutOff(code: ErrorCode): boolean {
    const wasOpen = this.isOpen;
    this.endWith(code);
    this.dropAfter(closeGraceMs);
    return wasOpen;
  }

  retire(): void {
    const inbox = this.isLive ? this.#inbox : undefined;
    inbox?.close(false);
    if (inbox === undefined || inbox.isIdle) this.endWith('ERR_SHUTDOWN');
    else void inbox.idle().then(() => this.endWith('ERR_SHUTDOWN'));
  }

  protected stopInput(drop: boolean): void {
    this.#isCutOff ||= drop;
    this.#inbox?.close(drop);
  }

  get isCutOff(): boolean {
    return this.#isCutOff;
  }

  protected gone(closeCode: number, reason: string): void {
    this.#registry.closed(this, this.#id);
    if (this[beatPlace] >= 0) this.runtime.heartbeat.delete(this);
    this.runtime.httpSessions.delete(this, this.identity.handshakeHttpSessionId);
    this.runtime.limits?.release(this);
    this.#connecting?.cancelDeadline();
    if (this.#connecting?.isHandling === true) this.#lingering = this.#registry.lingers();
    this.#finish(closeCode, reason);
  }

  /** Does what is owed: what was received before, then disconnect, then the end of the session. */
  #finish(closeCode: number, reason: string): void {
    const { disconnect } = this.runtime.plan;
    if (!this.hasConnected || (disconnect === undefined && this.#inbox?.isIdle !== false)) this.#endSession();
    else {
      this.#disconnecting = new Disconnecting(this);
      void this.#disconnecting.run(this.#inbox, closeCode, reason).then(() => this.#endSession());
    }
  }

  #endSession(): void {
    const ending = this.#session?.end();
    if (ending === undefined) this.#finished();
    else void ending.then(() => this.#finished());
  }

  #finished(): void {
    this.#isFinished = true;
    this.#registry.finished(this);
    for (const tell of this.#whenFinished ?? []) tell();
  }

  get unfinished(): UnfinishedWork {
    if (this.#connecting !== undefined) return 'connect';
    if (this.#disconnecting?.isHandling === true) return 'disconnect';
    if (this.#inbox?.isRunning === true) return 'receive';
    return this.hasEnded ? 'session' : 'connection';
  }

  /** Resolves once nothing of the channel runs any more. */
  get finished(): Promise<void> {
    if (this.#isFinished) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenFinished = [...(this.#whenFinished ?? []), resolve];
    });
  }
}

completePrototype('Channel', LiveChannel.prototype);
