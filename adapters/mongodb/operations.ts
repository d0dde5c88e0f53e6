import type { Clock } from '../../src/contracts/clock.js';
import { withSignalAndDeadline } from '../../src/time/deadline.js';
import { systemClock } from '../../src/time/system-clock.js';
import { defaultTimeoutMs } from '../../src/time/timed-options.js';
import type { MongoOptions } from './options.js';
import { withoutCommand } from './without-command.js';

/** Runs operations of the driver under a deadline of our own: the driver's time-outs are retried for longer than a handshake waits. */
export class Operations {
  readonly timeoutMs: number;
  readonly clock: Clock;

  /** @param options which their owner has checked. */
  constructor({ timeoutMs = defaultTimeoutMs, clock = systemClock }: MongoOptions) {
    this.timeoutMs = timeoutMs;
    this.clock = clock;
  }

  /**
   * The result of `operation`; once time is up its signal is aborted, and the promise is rejected whether or not the driver heeds it.
   *
   * @param what completes "MongoDB did not …".
   * @param ms how long it may take. @default `timeoutMs`
   */
  run<Result>(what: string, operation: (signal: AbortSignal) => Promise<Result>, ms: number = this.timeoutMs): Promise<Result> {
    const onTimeout = (): Error => new DOMException(`MongoDB did not ${what} within ${ms} ms.`, 'TimeoutError');
    return withSignalAndDeadline(operation, { clock: this.clock, ms, onTimeout, onError: withoutCommand });
  }
}
