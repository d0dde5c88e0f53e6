import { InvalidArgumentError } from 'commander';
import ms, { type StringValue } from 'ms';

/** Milliseconds, rounded; `undefined` where it is no number with a unit. */
function parsed(text: string): number | undefined {
  const value: number | undefined = /^\d+(\.\d+)?\s*[a-z]+$/i.test(text) ? ms(text as StringValue) : undefined;
  return value !== undefined && Number.isFinite(value) ? Math.round(value) : undefined;
}

/**
 * Milliseconds of a duration such as `30d`, `12h` or `90s`.
 *
 * @throws {InvalidArgumentError} when it is none, or not above zero.
 */
export function duration(text: string): number {
  const value = parsed(text);
  if (value === undefined || value < 1) throw new InvalidArgumentError('A duration is a number and a unit, such as 30d, 12h or 90s.');
  return value;
}

/** The same, or none at all: `0`, with a unit or without. */
export function durationOrNone(text: string): number {
  return text === '0' || parsed(text) === 0 ? 0 : duration(text);
}
