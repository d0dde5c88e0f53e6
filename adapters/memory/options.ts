import type { Clock } from '../../src/contracts/clock.js';
import { kindOf } from '../../src/kind-of.js';

/** What these adapters need of a clock. */
export type WallClock = Pick<Clock, 'now'>;

/** The option `clock`, or the system's clock. */
export function clockOption(owner: string, clock: WallClock | undefined): WallClock {
  if (clock === undefined) return Date;
  if (typeof clock?.now !== 'function') throw new TypeError(`${owner}: clock must have a method now(), got ${kindOf(clock)}`);
  return clock;
}
