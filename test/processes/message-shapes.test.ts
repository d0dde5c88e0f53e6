import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const program = fileURLToPath(new URL('message-shapes.mjs', import.meta.url));

// V8 settles the size of a class's objects at the seventh
it.each([1, 6, 7])('a message is as small where garbage was collected after the first %i', async (first) => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', program, String(first)]);
  expect(Number(stdout)).toBeGreaterThan(0);
  expect(Number(stdout)).toBeLessThan(400);
});
