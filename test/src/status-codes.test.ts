import { expect, it } from 'vitest';
import { cutReason } from '../../src/status-codes.js';

it.each([
  ['short', 'short'],
  [`a${'b'.repeat(122)}`, `a${'b'.repeat(122)}`],
  [`a${'b'.repeat(123)}`, `a${'b'.repeat(122)}`],
  [`a${'é'.repeat(100)}`, `a${'é'.repeat(61)}`],
  [`ab${'é'.repeat(100)}`, `ab${'é'.repeat(60)}`],
])('a close reason keeps its beginning and is cut at 123 bytes, never inside a character: %s', (reason, expected) => {
  expect(cutReason(reason)).toBe(expected);
});
