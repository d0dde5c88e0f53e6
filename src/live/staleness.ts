import type { Connection } from '../channel/connection.js';
import { mayHandle } from '../channel/unfinished-work.js';
import type { Clock } from '../contracts/clock.js';

/** How soon is asked again at first, and at the latest. */
const firstRetryMs = 1_000;
const maxRetryMs = 60_000;

/** Channels of which nobody can tell whether they may go on: asked for again and again, and ended when that lasts too long. */
export class Staleness {
  readonly #clock: Clock;
  readonly #maxStaleMs: number;
  readonly #retry: (channels: readonly Connection[]) => void;
  /** Since when nothing is known of each. */
  readonly #since = new Map<Connection, number>();
  #retryMs = firstRetryMs;
  #nextRetry = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, maxStaleMs: number, retry: (channels: readonly Connection[]) => void) {
    this.#clock = clock;
    this.#maxStaleMs = maxStaleMs;
    this.#retry = retry;
  }

  /** @param since when something was known of the channel last. */
  failed(channel: Connection, since: number): void {
    if (this.#since.size === 0) {
      this.#retryMs = firstRetryMs;
      this.#nextRetry = this.#clock.monotonic() + this.#retryMs;
    }
    const first = this.#since.get(channel) ?? since;
    this.#since.set(channel, first);
    if (!this.#endIfStale(channel, first)) this.#cancel ??= this.#clock.setTimer(() => this.#wake(), this.#untilNext());
  }

  /** It was not asked for yet, since it takes long to hear that nobody can tell of others. It does not wait longer than if it had been. */
  waits(channel: Connection): void {
    if (this.#maxStaleMs > 0) this.failed(channel, this.#clock.monotonic());
  }

  answered(channel: Connection): void {
    if (this.#since.delete(channel) && this.#since.size === 0) this.stop();
  }

  /** Forgets everybody. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#since.clear();
  }

  #endIfStale(channel: Connection, since: number): boolean {
    if (this.#clock.monotonic() - since < this.#maxStaleMs) return false;
    this.#since.delete(channel);
    channel.cutOff('ERR_GRANT_STALE');
    return true;
  }

  /** Channels that failed together are looked at together: the first one to be stale decides. */
  #untilNext(): number {
    let next = this.#nextRetry;
    for (const since of this.#since.values()) next = Math.min(next, since + this.#maxStaleMs);
    return Math.max(0, next - this.#clock.monotonic());
  }

  #wake(): void {
    this.#cancel = undefined;
    for (const [channel, since] of this.#since) {
      if (!mayHandle(channel)) this.#since.delete(channel);
      else this.#endIfStale(channel, since);
    }
    if (this.#since.size === 0) return;
    if (this.#clock.monotonic() >= this.#nextRetry) {
      this.#retryMs = Math.min(2 * this.#retryMs, maxRetryMs);
      this.#nextRetry = this.#clock.monotonic() + this.#retryMs;
      this.#retry([...this.#since.keys()]);
    }
    this.#cancel ??= this.#clock.setTimer(() => this.#wake(), this.#untilNext());
  }
}
