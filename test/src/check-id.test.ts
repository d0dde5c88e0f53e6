import { expect, it } from 'vitest';
import { checkId } from '../../src/check-id.js';

it.each([
  ['a number', 1234567890123456],
  ['an object', { toString: () => '1234567890123456' }],
  ['a list', ['1234567890123456']],
])('an id that is %s is a TypeError that does not show it: it may be that of a session', (_what, id) => {
  const check = (): void => checkId('MySessions.readById', 'id', id);
  expect(check).toThrow(TypeError);
  expect(check).not.toThrow(/1234567890123456/);
});
