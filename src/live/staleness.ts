import type { Connection } from '../channel/connection.js';
import { mayHandle } from '../channel/unfinished-work.js';
import type { Clock } from '../contracts/clock.js';
import { foundOrMade } from '../found-or-made.js';
import type { BoundSource } from '../identity/user-source.js';
import { Alarm } from '../time/alarm.js';

/** How soon is asked again at first, and at the latest. */
const firstRetryMs = 1_000;
const maxRetryMs = 60_000;

/** Channels of which nobody can tell whether they may go on: asked for again and again, and ended when that lasts too long. */
export class Staleness {
  readonly #clock: Clock;
  readonly #maxStaleMs: number;
  readonly #retry: (channels: readonly Connection[]) => void;
  /** Since when nothing is known of each. */
  readonly #failed = new Map<Connection, number>();
  /** The same of those that will be asked for without this, while their sources can tell of nobody. */
  readonly #waiting = new Map<BoundSource, Map<Connection, number>>();
  #retryMs = firstRetryMs;
  #nextRetry = Number.POSITIVE_INFINITY;
  readonly #alarm: Alarm;

  constructor(clock: Clock, maxStaleMs: number, retry: (channels: readonly Connection[]) => void) {
    this.#clock = clock;
    this.#maxStaleMs = maxStaleMs;
    this.#retry = retry;
    this.#alarm = new Alarm(clock, () => this.#wake());
  }

  /** @param since when something was known of the channel last. */
  failed(channel: Connection, since: number): void {
    if (this.#failed.size === 0) {
      this.#retryMs = firstRetryMs;
      this.#nextRetry = this.#clock.monotonic() + this.#retryMs;
    }
    const waitedSince = this.#stopWaiting(channel);
    const first = Math.min(this.#failed.get(channel) ?? waitedSince ?? since, since);
    this.#failed.set(channel, first);
    if (this.#endIfStale(channel, first)) this.#failed.delete(channel);
    else this.#alarm.setFor(Math.min(this.#nextRetry, first + this.#maxStaleMs));
  }

  /** It was not asked for yet, since it takes long to hear that nobody can tell of others. It does not wait longer than if it had been. */
  waits(channel: Connection): void {
    const { source } = channel.identity;
    if (this.#maxStaleMs === 0 || this.#maxStaleMs === Number.POSITIVE_INFINITY || source === undefined || this.#failed.has(channel))
      return;
    const waiting = foundOrMade(this.#waiting, source, () => new Map<Connection, number>());
    if (waiting.has(channel)) return;
    const now = this.#clock.monotonic();
    waiting.set(channel, now);
    this.#alarm.setFor(now + Math.min(this.#maxStaleMs, maxRetryMs));
  }

  /** Something is known of the channel: its source can tell again, and those that wait for their turn have time. */
  answered(channel: Connection): void {
    const { source, verifiedAt } = channel.identity;
    if (source !== undefined && this.#waitingSince(source) <= verifiedAt) this.#waiting.delete(source);
    this.#failed.delete(channel);
    if (this.#failed.size === 0 && this.#waiting.size === 0) this.#alarm.clear();
  }

  /** Forgets everybody. */
  stop(): void {
    this.#alarm.clear();
    this.#failed.clear();
    this.#waiting.clear();
  }

  /** Since when the first one waits that is of `source`. */
  #waitingSince(source: BoundSource): number {
    const [since = Number.POSITIVE_INFINITY] = this.#waiting.get(source)?.values() ?? [];
    return since;
  }

  /** Since when it waited; `undefined` where it did not. */
  #stopWaiting(channel: Connection): number | undefined {
    const { source } = channel.identity;
    const waiting = source && this.#waiting.get(source);
    const since = waiting?.get(channel);
    if (source !== undefined && waiting?.delete(channel) === true && waiting.size === 0) this.#waiting.delete(source);
    return since;
  }

  #endIfStale(channel: Connection, since: number): boolean {
    if (this.#clock.monotonic() - since < this.#maxStaleMs) return false;
    channel.cutOff('ERR_GRANT_STALE');
    return true;
  }

  /** Channels that failed together are looked at together: the first one to be stale decides. */
  #wake(): void {
    let next = Number.POSITIVE_INFINITY;
    const isLeft = (channel: Connection, since: number): boolean => {
      if (!mayHandle(channel) || this.#endIfStale(channel, since)) return false;
      next = Math.min(next, since + this.#maxStaleMs);
      return true;
    };
    for (const [channel, since] of this.#failed) if (!isLeft(channel, since)) this.#failed.delete(channel);
    for (const [source, waiting] of this.#waiting) {
      for (const [channel, since] of waiting) if (channel.identity.source !== source || !isLeft(channel, since)) waiting.delete(channel);
      if (waiting.size === 0) this.#waiting.delete(source);
    }
    const now = this.#clock.monotonic();
    if (this.#waiting.size > 0) next = Math.min(next, now + maxRetryMs); // to let go of those that have ended
    if (this.#failed.size > 0) {
      if (now >= this.#nextRetry) {
        this.#retryMs = Math.min(2 * this.#retryMs, maxRetryMs);
        this.#nextRetry = now + this.#retryMs;
        this.#retry([...this.#failed.keys()]);
      }
      next = Math.min(next, this.#nextRetry);
    }
    this.#alarm.setFor(next);
  }
}
