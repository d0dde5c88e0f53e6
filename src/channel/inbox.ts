import type { WebSocket } from 'ws';
import { ChannelError } from '../errors.js';
import { queueMicrotask } from '../event-loop.js';
import { outsideRequests } from '../outside-requests.js';
import { maskedHeaderBytes } from './frame-format.js';
import { beginLoneMessage, endLoneMessage, expectMore, hasUnsent, letOut } from './let-out.js';

/** What an inbox notes on a message stands under symbols: wrappers may give it members of any name. */
export const numberInChannel: unique symbol = Symbol('ws-with.numberInChannel');
export const isOrderingKnown: unique symbol = Symbol('ws-with.isOrderingKnown');

/** What an inbox needs of a message. */
export interface InboxMessage {
  readonly data: Uint8Array;
  /** Which of the channel's messages it is, from 1. */
  [numberInChannel]: number;
  /** Whether it is settled how this message stands to `withOrdering` (only asked with a concurrency above 1). */
  [isOrderingKnown]: boolean;
}

/** What an inbox needs of its channel. */
export interface InboxOwner<M extends InboxMessage> {
  /** Runs the handler. Whether it is done: where there is something to wait for, {@link Inbox.done} is called later. Never throws. */
  handle(message: M): boolean;
  /** What is read from, once it is there. */
  readonly socket: WebSocket | undefined; // by its name: older types of ws have no `pause`
  /** How many bytes the socket has read so far; `NaN` where pausing holds nothing back. */
  readonly bytesRead: number;
  /** More came than may wait. */
  overflowed(): void;
}

/** Bounds and manner of an inbox. */
export interface InboxLimits {
  /** Past half of either bound nothing more is read. What was read already fits all the same: its sender could not know. */
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
  /** How many handlers may run at once. */
  readonly concurrency: number;
  /** Whether some handlers run under `withOrdering`, and which message does is only known once it has run so far. */
  readonly mayOrder: boolean;
}

/** As many bytes Node may still read of a socket that is paused in the midst of a read. */
const readAheadBytes = 262_144;

/** Whether a read of the socket gave `data` alone: ws gives a view of what was read, and the header of its frame lies before it. */
function cameAlone({ buffer, byteOffset, byteLength }: Uint8Array): boolean {
  return byteOffset === maskedHeaderBytes(byteLength) && byteOffset + byteLength === buffer.byteLength;
}

/** A message that must run alone, and how it is told that its turn has come, or never will. */
interface Alone {
  readonly message: InboxMessage;
  turn: { readonly go: () => void; readonly giveUp: (reason: Error) => void } | undefined;
}

/**
 * The way in of one channel: holds received messages until their turn. Runs one at a time in the order received, or several where the
 * server says so. A message that finds nothing before it is run at once, without a promise.
 */
export class Inbox<M extends InboxMessage = InboxMessage> {
  readonly #owner: InboxOwner<M>;
  readonly #limits: InboxLimits;
  #queue: M[] = [];
  #head = 0;
  #bytes = 0;
  #running = 0;
  #sequence = 0;
  #isStarted = false;
  #isClosed = false;
  #isPaused = false;
  /** How many bytes had been read when reading was stopped. */
  #bytesReadThen = 0;
  /** While the channel's output is clogged, no handler is started. */
  #isHeld = false;
  /** Running messages that must be alone, earliest first: the first goes on once all that run are among them. Nothing starts meanwhile. */
  readonly #alone: Alone[] = [];
  /** How many running messages have not said yet whether they must run alone. */
  #undecided = 0;
  #idleWaiters: (() => void)[] | undefined;

  constructor(owner: InboxOwner<M>, limits: InboxLimits) {
    this.#owner = owner;
    this.#limits = limits;
  }

  /** Connect has succeeded: what waits is handled. */
  start(): void {
    this.#isStarted = true;
    if (this.waiting > 0) this.#goOn();
  }

  /** Takes a message that has just been read. */
  push(message: M): void {
    if (this.#isClosed) return;
    if (this.#isStarted && this.waiting === 0 && this.#mayStart()) {
      if (!hasUnsent() && cameAlone(message.data)) this.#startLone(message);
      else this.#start(message);
      if (this.waiting > 0) this.#pump();
      return;
    }
    this.#queue.push(message);
    expectMore();
    this.#bytes += message.data.length;
    this.#judgeReading();
    if (this.#isPaused && this.#isOver && !this.#wasReadBefore) this.#owner.overflowed();
  }

  /** Starts no handler and reads nothing more, until {@link release}. */
  hold(): void {
    if (this.#isClosed) return;
    this.#isHeld = true;
    this.#judgeReading();
  }

  release(): void {
    this.#isHeld = false;
    this.#goOn();
  }

  /** Reading stops past half of the bounds, and goes on at a quarter. */
  #judgeReading(): void {
    const share = this.#isPaused ? 4 : 2;
    const { maxQueuedMessages, maxQueuedBytes } = this.#limits;
    const isMuch = this.#isHeld || this.waiting > maxQueuedMessages / share || this.#bytes > maxQueuedBytes / share;
    if (isMuch === this.#isPaused) return;
    this.#isPaused = isMuch;
    if (isMuch) {
      this.#bytesReadThen = this.#owner.bytesRead;
      this.#owner.socket?.pause();
    } else this.#owner.socket?.resume();
  }

  get #isOver(): boolean {
    const { maxQueuedMessages, maxQueuedBytes } = this.#limits;
    return this.waiting > maxQueuedMessages || (this.waiting > 1 && this.#bytes > maxQueuedBytes);
  }

  /** Whether what comes was read before reading was stopped: then it is bounded by what one read holds. */
  get #wasReadBefore(): boolean {
    return this.#owner.bytesRead - this.#bytesReadThen <= readAheadBytes;
  }

  /** Takes nothing more. With `drop`, what waits is not handled either. */
  close(drop: boolean): void {
    this.#isClosed = true;
    this.#isHeld = false;
    if (!drop && this.#isStarted) {
      if (this.waiting > 0) queueMicrotask(() => this.#goOn());
      return;
    }
    this.#queue = [];
    this.#head = 0;
    this.#bytes = 0;
    // what waits to run alone has begun, but its handler has not: it is dropped like the rest
    for (const { turn } of this.#alone)
      turn?.giveUp(new ChannelError('ERR_CHANNEL_CLOSED', 'The channel ended before this message had its turn.'));
    this.#notifyIdle();
  }

  get isRunning(): boolean {
    return this.#running > 0;
  }

  /** Resolves once nothing waits and nothing runs. */
  idle(): Promise<void> {
    if (this.isIdle) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idleWaiters ??= [];
      this.#idleWaiters.push(resolve);
    });
  }

  /** `message` is to run after all earlier ones and before all later ones: a promise where it must wait for that. */
  orderAlone(message: InboxMessage): Promise<void> | undefined {
    if (this.#limits.concurrency === 1 || this.#alone.some((entry) => entry.message === message)) return undefined;
    const later = this.#alone.findIndex((entry) => entry.message[numberInChannel] > message[numberInChannel]);
    const entry: Alone = { message, turn: undefined };
    this.#alone.splice(later < 0 ? this.#alone.length : later, 0, entry);
    this.decide(message);
    if (this.#running === 1) return undefined;
    return new Promise((go, giveUp) => {
      entry.turn = { go, giveUp };
      this.#takeTurn();
    });
  }

  #takeTurn(): void {
    const [first] = this.#alone;
    if (first === undefined || this.#running !== this.#alone.length) return;
    first.turn?.go();
    first.turn = undefined;
  }

  /** It is settled whether `message` must run alone: later ones may start unless it must. */
  decide(message: InboxMessage): void {
    if (message[isOrderingKnown]) return;
    message[isOrderingKnown] = true;
    if (!this.#limits.mayOrder) return;
    this.#undecided -= 1;
    if (this.waiting > 0) queueMicrotask(() => this.#goOn());
  }

  /** How many messages wait for their turn. */
  get waiting(): number {
    return this.#queue.length - this.#head;
  }

  #mayStart(): boolean {
    if (this.#isHeld) return false;
    if (this.#running === 0) return true;
    return this.#running < this.#limits.concurrency && this.#alone.length === 0 && this.#undecided === 0;
  }

  /** Somebody lets what waits go on, whose request it is no part of. */
  #goOn(): void {
    outsideRequests(() => this.#pump());
  }

  #pump(): void {
    while (this.#isStarted && this.waiting > 0 && this.#mayStart()) this.#start(this.#shift());
    if (this.#isPaused) this.#judgeReading();
  }

  #shift(): M {
    const message = this.#queue[this.#head] as M;
    this.#head += 1;
    this.#bytes -= message.data.length;
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    } else if (this.#head >= 1_024) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
    return message;
  }

  #start(message: M): void {
    this.#running += 1;
    this.#sequence += 1;
    message[numberInChannel] = this.#sequence;
    if (this.#limits.mayOrder) this.#undecided += 1;
    if (this.#owner.handle(message)) this.#finish(message);
  }

  #startLone(message: M): void {
    beginLoneMessage();
    try {
      this.#start(message);
    } finally {
      endLoneMessage(); // or nothing that any channel sends would leave any more
    }
  }

  /** `message` was waited for, and is no longer: what comes after it goes on. */
  done(message: M): void {
    this.#finish(message);
    this.#pump();
    if (this.#running === 0) letOut();
  }

  #finish(message: M): void {
    this.#running -= 1;
    if (this.#limits.mayOrder) this.decide(message);
    if (this.#alone.length > 0) {
      const index = this.#alone.findIndex((entry) => entry.message === message);
      if (index >= 0) this.#alone.splice(index, 1);
      this.#takeTurn();
    }
    if (this.#idleWaiters !== undefined) this.#notifyIdle();
  }

  /** Whether nothing waits and nothing runs. */
  get isIdle(): boolean {
    return this.#running === 0 && (this.waiting === 0 || !this.#isStarted);
  }

  #notifyIdle(): void {
    if (this.#idleWaiters === undefined || !this.isIdle) return;
    const waiters = this.#idleWaiters;
    this.#idleWaiters = undefined;
    for (const waiter of waiters) waiter();
  }
}
