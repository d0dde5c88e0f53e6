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
  /** Those of them that will be asked for without this: none has failed yet. */
  readonly #waiting = new Set<Connection>();
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
    if (this.#since.size === this.#waiting.size) {
      this.#retryMs = firstRetryMs;
      this.#nextRetry = this.#clock.monotonic() + this.#retryMs;
      this.#disarm(); // for those that wait there was time
    }
    const first = Math.min(this.#since.get(channel) ?? since, since);
    this.#since.set(channel, first);
    this.#waiting.delete(channel);
    this.#endIfStale(channel, first);
    if (this.#since.size > 0) this.#arm();
  }

  /** It was not asked for yet, since it takes long to hear that nobody can tell of others. It does not wait longer than if it had been. */
  waits(channel: Connection): void {
    if (this.#maxStaleMs === 0 || this.#maxStaleMs === Number.POSITIVE_INFINITY || this.#since.has(channel)) return;
    this.#since.set(channel, this.#clock.monotonic());
    this.#waiting.add(channel);
    this.#arm();
  }

  answered(channel: Connection): void {
    if (this.#forget(channel) && this.#since.size === 0) this.stop();
  }

  /** Forgets everybody. */
  stop(): void {
    this.#disarm();
    this.#since.clear();
    this.#waiting.clear();
  }

  #forget(channel: Connection): boolean {
    this.#waiting.delete(channel);
    return this.#since.delete(channel);
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(): void {
    this.#cancel ??= this.#clock.setTimer(() => this.#wake(), this.#untilNext());
  }

  #endIfStale(channel: Connection, since: number): void {
    if (this.#clock.monotonic() - since < this.#maxStaleMs) return;
    this.#forget(channel);
    channel.cutOff('ERR_GRANT_STALE');
  }

  /** Channels that failed together are looked at together: the first one to be stale decides. */
  #untilNext(): number {
    let next = this.#since.size > this.#waiting.size ? this.#nextRetry : Number.POSITIVE_INFINITY;
    for (const since of this.#since.values()) next = Math.min(next, since + this.#maxStaleMs);
    return Math.max(0, next - this.#clock.monotonic());
  }

  #wake(): void {
    this.#cancel = undefined;
    for (const [channel, since] of this.#since) {
      if (!mayHandle(channel)) this.#forget(channel);
      else this.#endIfStale(channel, since);
    }
    if (this.#since.size === 0) return;
    const failed = [...this.#since.keys()].filter((channel) => !this.#waiting.has(channel));
    if (failed.length > 0 && this.#clock.monotonic() >= this.#nextRetry) {
      this.#retryMs = Math.min(2 * this.#retryMs, maxRetryMs);
      this.#nextRetry = this.#clock.monotonic() + this.#retryMs;
      this.#retry(failed);
    }
    this.#arm();
  }
}
