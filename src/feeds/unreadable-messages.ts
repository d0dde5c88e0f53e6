import type { Clock } from '../contracts/clock.js';

/** So often subscribers are told at most: who writes what cannot be read may write a lot of it. */
const intervalMs = 5_000;

/**
 * Says, the first time that it is called, as a warning of the process, why gaps are told.
 *
 * @param where what holds that which cannot be read, e.g. `'RedisBroadcaster: the channel ws-with:broadcast'`.
 */
export function warningOfUnreadable(where: string, code: 'ERR_BROADCAST_FAILED' | 'ERR_REVOCATION_FEED_FAILED'): () => void {
  let hasWarned = false;
  return () => {
    if (hasWarned) return;
    hasWarned = true;
    const text = `${where} has something that cannot be read: another program, or another version of ws-with, writes there. It is told as a gap.`;
    process.emitWarning(text, { type: 'WsWithWarning', code });
  };
}

/**
 * What a broadcaster hears and cannot read may be a message of a newer version of the package, so subscribers are told of a gap: at once,
 * and then every five seconds for as long as more comes. The first time, a warning of the process says why.
 */
export class UnreadableMessages {
  readonly #clock: Clock;
  readonly #warn: () => void;
  readonly #tellGap: () => void;
  #isOwed = false;
  #cancelTimer: (() => void) | undefined;

  /** @param where as that of {@link warningOfUnreadable}. */
  constructor(clock: Clock, where: string, tellGap: () => void) {
    this.#clock = clock;
    this.#warn = warningOfUnreadable(where, 'ERR_BROADCAST_FAILED');
    this.#tellGap = tellGap;
  }

  heard(): void {
    this.#warn();
    if (this.#cancelTimer === undefined) this.#tell();
    else this.#isOwed = true;
  }

  #tell(): void {
    this.#isOwed = false;
    this.#cancelTimer = this.#clock.setTimer(() => {
      this.#cancelTimer = undefined;
      if (this.#isOwed) this.#tell();
    }, intervalMs);
    this.#tellGap();
  }

  /** Nobody listens any more. */
  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#isOwed = false;
  }
}
