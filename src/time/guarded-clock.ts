import type { Clock } from '../contracts/clock.js';
import { kindOf } from '../kind-of.js';
import { nothing } from '../maybe-promise.js';
import { outsideRequests } from '../outside-requests.js';
import { systemClock } from './system-clock.js';

/**
 * A clock of the application's, made harmless: where it throws, which `report` is told of, the machine's stands in for it. A deadline that
 * cannot be set would leave a channel for ever, and a throw where a channel ends would end the process.
 */
export function guardedClock(clock: Clock, report: (error: unknown) => void): Clock {
  if (clock === systemClock) return clock;
  const attempt = <T>(run: () => T, instead: () => T): T => {
    try {
      return run();
    } catch (error) {
      report(error);
      return instead();
    }
  };
  return {
    now: () => attempt(() => clock.now(), systemClock.now),
    monotonic: () => attempt(() => clock.monotonic(), systemClock.monotonic),
    setTimer: (fn, ms) => {
      const cancel = attempt(
        () => outsideRequests(() => clock.setTimer(fn, ms)),
        () => systemClock.setTimer(fn, ms),
      );
      return () => attempt(() => cancelWith(cancel), nothing);
    },
  };
}

/** @throws {TypeError} when the application's clock gave something else. */
function cancelWith(cancel: unknown): void {
  if (typeof cancel !== 'function') throw new TypeError(`clock: setTimer must return the function that cancels, got ${kindOf(cancel)}`);
  cancel();
}
