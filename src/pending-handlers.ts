import type { Clock } from './contracts/clock.js';
import { extraMsOf, setFairTimer } from './time/fair-timer.js';
import { awaitTurnEnd, type TurnWaiter } from './turn-end.js';

/** What {@link PendingHandlers} notes on a handler stands under symbols: a message may be given members of any name. */
export const pendingSince: unique symbol = Symbol('ws-with.pendingSince');
export const isWaitedFor: unique symbol = Symbol('ws-with.isWaitedFor');

/** A handler, or another operation, that is waited for. */
export interface PendingHandler {
  /** Since when it is waited for, in milliseconds of the monotonic clock: noted at the end of the turn where it is 0 till then. */
  [pendingSince]: number;
  /** Whether it is waited for. */
  [isWaitedFor]: boolean;
  /** It has taken longer than `ms` milliseconds. */
  outlasted(ms: number): void;
  /** It is waited for no longer: for what a shutdown gives up. */
  abandon?(): void;
}

/**
 * Handlers of a server that are waited for, all of them equally long. One timer serves them all: it runs for the one that began first. What
 * is done within the turn of the event loop in which it began costs no timer, and no look at the clock here.
 */
export class PendingHandlers implements TurnWaiter {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  /** Those that were begun in this turn, some of them done already. */
  #begun: PendingHandler[] = [];
  #isTurnAwaited = false;
  /** Those that were begun earlier, in that order. */
  readonly #handlers = new Set<PendingHandler>();
  #cancel: (() => void) | undefined;

  /** @param timeoutMs how long each may take; 0 for ever. */
  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** `handler` is waited for from now on, or still. */
  begin(handler: PendingHandler): void {
    if (handler[isWaitedFor]) return;
    handler[isWaitedFor] = true;
    this.#begun.push(handler);
    if (this.#isTurnAwaited) return;
    this.#isTurnAwaited = true;
    awaitTurnEnd(this);
  }

  /** `handler`, which knows when it was begun, is waited for: none that was begun before it comes here after it. */
  beginLate(handler: PendingHandler): void {
    handler[isWaitedFor] = true;
    this.#handlers.add(handler);
    if (this.#timeoutMs > 0) this.#arm();
  }

  /** It is done, well or not. */
  end(handler: PendingHandler): void {
    handler[isWaitedFor] = false;
    // most are done before another begins; what stayed in the list would live as long as the turn
    if (this.#begun[this.#begun.length - 1] === handler) this.#begun.pop();
    else if (this.#handlers.delete(handler) && this.#handlers.size === 0) this.#disarm();
  }

  /** The turn is over in which some were begun. */
  turnOver(): void {
    this.#isTurnAwaited = false;
    this.#noteBegun();
    if (this.#timeoutMs > 0) this.#arm();
  }

  #noteBegun(): void {
    const begun = this.#begun;
    if (begun.length === 0) return; // and keeps its room
    this.#begun = [];
    for (const handler of begun) {
      if (!handler[isWaitedFor]) continue;
      handler[pendingSince] ||= this.#clock.monotonic();
      this.#handlers.add(handler);
    }
  }

  /** None is waited for any longer. */
  abandonAll(): void {
    const handlers = [...this.#handlers, ...this.#begun.filter((handler) => handler[isWaitedFor])];
    this.#handlers.clear();
    for (const handler of handlers) handler[isWaitedFor] = false;
    this.#disarm();
    for (const handler of handlers) handler.abandon?.();
  }

  #arm(): void {
    if (this.#cancel !== undefined) return;
    const [first] = this.#handlers;
    if (first === undefined) return;
    const left = first[pendingSince] + this.#timeoutMs - this.#clock.monotonic();
    this.#cancel = setFairTimer(
      this.#clock,
      () => {
        this.#cancel = undefined;
        this.#tellLate();
        this.#arm();
      },
      Math.max(0, left),
    );
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Tells those that have taken too long, before the timer does; where that is late, it waits again, and so does this. */
  endLate(): void {
    const [first] = this.#handlers;
    if (first === undefined || extraMsOf(this.#clock.monotonic() - first[pendingSince] - this.#timeoutMs) === 0) this.#tellLate();
  }

  #tellLate(): void {
    this.#noteBegun();
    const begunBefore = this.#clock.monotonic() - this.#timeoutMs;
    const late: PendingHandler[] = [];
    for (const handler of this.#handlers) {
      if (handler[pendingSince] > begunBefore) break;
      late.push(handler);
    }
    for (const handler of late) {
      if (!this.#handlers.delete(handler)) continue;
      handler[isWaitedFor] = false;
      handler.outlasted(this.#timeoutMs);
    }
  }
}
