import { expect, it } from 'vitest';
import { hasPassed, setPassed } from '../../../src/wrapping/passed-marks.js';

it('a message knows which wrappers it has passed, however many a process has made', () => {
  const message = {};
  const ids = Array.from({ length: 70 }, (_, id) => id);
  for (const id of ids) {
    expect(hasPassed(message, id)).toBe(false);
    if (id % 2 === 1) setPassed(message, id);
  }
  expect(ids.filter((id) => hasPassed(message, id))).toEqual(ids.filter((id) => id % 2 === 1));
});
