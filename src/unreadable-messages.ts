import type { Clock } from './contracts/clock.js';

/** So often subscribers are told at most: who writes what cannot be read may write a lot of it. */
const intervalMs = 5_000;

/**
 * What a broadcaster hears and cannot read may be a message of a newer version of the package, so subscribers are told of a gap: at once, and then every
 * five seconds for as long as more comes. The first time, a warning of the process says why.
 */
export class UnreadableMessages {
  readonly #clock: Clock;
  readonly #warning: string;
  readonly #tellGap: () => void;
  #hasWarned = false;
  #isOwed = false;
  #cancelTimer: (() => void) | undefined;

  /** @param where what it was heard on, e.g. `'RedisBroadcaster: the channel ws-with:broadcast'`. */
  constructor(clock: Clock, where: string, tellGap: () => void) {
    this.#clock = clock;
    this.#warning = `${where} has messages that cannot be read: another program, or another version of ws-with, writes there. They are told as gaps.`;
    this.#tellGap = tellGap;
  }

  heard(): void {
    if (!this.#hasWarned) process.emitWarning(this.#warning, { type: 'WsWithWarning', code: 'ERR_BROADCAST_FAILED' });
    this.#hasWarned = true;
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
