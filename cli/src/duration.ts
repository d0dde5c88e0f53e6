import { InvalidArgumentError } from 'commander';
import ms, { type StringValue } from 'ms';

/**
 * Milliseconds of a duration such as `30d`, `12h` or `90s`.
 *
 * @throws {InvalidArgumentError} when it is none, or not above zero.
 */
export function duration(text: string): number {
  const value: number | undefined = /^\d+(\.\d+)?\s*[a-z]+$/i.test(text) ? ms(text as StringValue) : undefined;
  if (value === undefined || !Number.isFinite(value) || value < 1) {
    throw new InvalidArgumentError('A duration is a number and a unit, such as 30d, 12h or 90s.');
  }
  return Math.round(value);
}
