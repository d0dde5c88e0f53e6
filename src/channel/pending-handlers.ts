import type { Clock } from '../contracts/clock.js';

/** A handler that is waited for. */
export interface PendingHandler {
  /** When it was begun, in milliseconds of the monotonic clock. */
  startedAt: number;
  /** It has taken longer than `ms` milliseconds. */
  outlasted(ms: number): void;
  /** It is waited for no longer. */
  abandon(): void;
}

/**
 * Handlers of a server that are waited for, all of them equally long. One timer serves them all: it runs for the one that began first, and
 * there is none for what is done within the turn of the event loop in which it began.
 */
export class PendingHandlers {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  /** In the order in which they were begun. */
  readonly #handlers = new Set<PendingHandler>();
  #isToBeArmed = false;
  #cancel: (() => void) | undefined;

  /** @param timeoutMs how long each may take; 0 for ever. */
  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** `handler` is waited for from now on. */
  begin(handler: PendingHandler): void {
    handler.startedAt = this.#clock.monotonic();
    this.#handlers.add(handler);
    if (this.#timeoutMs === 0 || this.#isToBeArmed || this.#cancel !== undefined) return;
    this.#isToBeArmed = true;
    setImmediate(() => {
      this.#isToBeArmed = false;
      this.#arm();
    });
  }

  /** It is done, well or not. */
  end(handler: PendingHandler): void {
    this.#handlers.delete(handler);
    if (this.#handlers.size === 0) this.#disarm();
  }

  /** None is waited for any longer. */
  abandonAll(): void {
    const handlers = [...this.#handlers];
    this.#handlers.clear();
    this.#disarm();
    for (const handler of handlers) handler.abandon();
  }

  #arm(): void {
    const [first] = this.#handlers;
    if (first === undefined || this.#cancel !== undefined) return;
    const left = first.startedAt + this.#timeoutMs - this.#clock.monotonic();
    this.#cancel = this.#clock.setTimer(
      () => {
        this.#cancel = undefined;
        this.endLate();
        this.#arm();
      },
      Math.max(0, left),
    );
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Tells those that have taken too long. */
  endLate(): void {
    const begunBefore = this.#clock.monotonic() - this.#timeoutMs;
    const late: PendingHandler[] = [];
    for (const handler of this.#handlers) {
      if (handler.startedAt > begunBefore) break;
      late.push(handler);
    }
    for (const handler of late) if (this.#handlers.delete(handler)) handler.outlasted(this.#timeoutMs);
  }
}
