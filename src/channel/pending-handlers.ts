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
 * The receive and disconnect handlers of a server that are waited for. One timer serves them all: it runs for the one that began first, and
 * those that are done in time leave it alone.
 */
export class PendingHandlers {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  /** In the order in which they were begun. */
  readonly #handlers = new Set<PendingHandler>();
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
    if (this.#cancel === undefined) this.#arm(this.#timeoutMs);
  }

  /** It is done, well or not. */
  end(handler: PendingHandler): void {
    this.#handlers.delete(handler);
  }

  /** None is waited for any longer. */
  abandonAll(): void {
    const handlers = [...this.#handlers];
    this.#handlers.clear();
    for (const handler of handlers) handler.abandon();
  }

  /** Nothing runs any more. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(ms: number): void {
    if (this.#timeoutMs > 0) this.#cancel = this.#clock.setTimer(() => this.#check(), ms);
  }

  #check(): void {
    this.#cancel = undefined;
    const now = this.#clock.monotonic();
    const late: PendingHandler[] = [];
    for (const handler of this.#handlers) {
      const left = handler.startedAt + this.#timeoutMs - now;
      if (left > 0) {
        this.#arm(left);
        break;
      }
      late.push(handler);
    }
    for (const handler of late) if (this.#handlers.delete(handler)) handler.outlasted(this.#timeoutMs);
  }
}
