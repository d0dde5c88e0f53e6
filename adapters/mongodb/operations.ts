import type { Clock } from '../../src/contracts/clock.js';
import { withDeadline } from '../../src/deadline.js';
import { checkClock, checkInteger, type MongoOptions } from './options.js';

const defaultTimeoutMs = 3_000;

/** Runs operations of the driver under a deadline of our own: the driver's time-outs are retried for longer than a handshake waits. */
export class Operations {
  readonly timeoutMs: number;
  readonly clock: Clock;

  /** @throws {TypeError} when an option is out of its range. */
  constructor(owner: string, { timeoutMs = defaultTimeoutMs, clock }: MongoOptions) {
    this.timeoutMs = checkInteger(owner, 'timeoutMs', timeoutMs, 1);
    this.clock = checkClock(owner, clock);
  }

  /**
   * The result of `operation`; once time is up its signal is aborted, and the promise is rejected whether or not the driver heeds it.
   *
   * @param what completes "MongoDB did not …".
   */
  run<Result>(what: string, operation: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const controller = new AbortController();
    const onTimeout = (): Error => {
      const error = new DOMException(`MongoDB did not ${what} within ${this.timeoutMs} ms.`, 'TimeoutError');
      controller.abort(error);
      return error;
    };
    return withDeadline(() => operation(controller.signal), { clock: this.clock, ms: this.timeoutMs, onTimeout });
  }
}
