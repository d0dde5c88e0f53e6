import { setImmediate as nextTurn } from 'node:timers/promises';
import { aFunction, checkOption, type Rule } from '../src/checked-options.js';
import type { Clock } from '../src/contracts/clock.js';
import { tagged } from '../src/tagged.js';

const owner = 'TestClock';

/** Turns of the event loop that chains of promises get before and after each timer. */
const turnsToSettle = 4;

const aFiniteNumber: Rule = { must: 'a finite number', accepts: Number.isFinite };
const aSpan: Rule = {
  must: 'a finite number of at least 0',
  accepts: (value) => Number.isFinite(value) && (value as number) >= 0,
};

interface TestTimer {
  readonly fn: () => void;
  readonly due: number;
}

/**
 * A clock that a test moves by hand. Nothing runs before {@link advance} is called, however long the test takes.
 */
export class TestClock implements Clock {
  #elapsed = 0;
  /** Where the calls of `advance` so far lead: calls that overlap add up. */
  #target = 0;
  #wallOffset: number;
  /** In the order in which they were set. */
  readonly #timers = new Set<TestTimer>();

  /**
   * @param start wall-clock time to begin with, in milliseconds since the epoch. @default 2026-01-01T00:00:00Z
   * @throws {TypeError} when `start` is no finite number.
   */
  constructor(start: number = Date.UTC(2026, 0, 1)) {
    checkOption(owner, 'start', start, aFiniteNumber);
    this.#wallOffset = start;
  }

  /** How many timers are set and have neither run nor been cancelled. To find leaks, compare it before and after. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#wallOffset + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  /** @throws {TypeError} when `fn` is no function, or `ms` no finite number of at least 0. */
  setTimer(fn: () => void, ms: number): () => void {
    checkOption(owner, 'fn', fn, aFunction);
    checkOption(owner, 'ms', ms, aSpan);
    const timer = { fn, due: this.#elapsed + ms };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /**
   * Moves both clocks on by `ms` milliseconds and runs the timers that fall due, each at its own time and in order, those that they set
   * included. Before and after each of them, chains of promises get a few turns of the event loop to settle.
   *
   * @throws {TypeError} (as a rejection) when `ms` is no finite number of at least 0; whatever a timer throws.
   */
  async advance(ms: number): Promise<void> {
    checkOption(owner, 'ms', ms, aSpan);
    this.#target += ms;
    const target = this.#target;
    await settle();
    for (let timer = this.#nextDue(target); timer; timer = this.#nextDue(target)) {
      this.#elapsed = Math.max(this.#elapsed, timer.due);
      this.#timers.delete(timer);
      timer.fn();
      await settle();
    }
    this.#elapsed = Math.max(this.#elapsed, target);
  }

  /**
   * Sets only the wall clock, as when somebody corrects the machine's time: timers and {@link monotonic} do not notice.
   *
   * @param time in milliseconds since the epoch.
   * @throws {TypeError} when `time` is no finite number.
   */
  setTime(time: number): void {
    checkOption(owner, 'time', time, aFiniteNumber);
    this.#wallOffset = time - this.#elapsed;
  }

  /**
   * Moves only the wall clock, by `ms` milliseconds; backwards if that is negative.
   *
   * @throws {TypeError} when `ms` is no finite number.
   */
  jump(ms: number): void {
    checkOption(owner, 'ms', ms, aFiniteNumber);
    this.#wallOffset += ms;
  }

  /** The earliest timer that is due at `target`; of several at one time the one that was set first. */
  #nextDue(target: number): TestTimer | undefined {
    let next: TestTimer | undefined;
    for (const timer of this.#timers) if (timer.due <= target && (!next || timer.due < next.due)) next = timer;
    return next;
  }
}

tagged('TestClock', TestClock.prototype);

async function settle(): Promise<void> {
  for (let turn = 0; turn < turnsToSettle; turn += 1) await nextTurn();
}
