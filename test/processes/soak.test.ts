import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);

it('thousands of clients, half of them gone in the middle of anything, leave no channel, record, listener or memory behind', async () => {
  const soak = fileURLToPath(new URL('../../scripts/soak.mjs', import.meta.url));
  const { stdout } = await run(process.execPath, ['--expose-gc', soak, '--cycles', '1000', '--messages', '10000', '--minutes', '3']);
  const last = JSON.parse(stdout.trim().split('\n').at(-1) as string) as { left: Record<string, unknown> };
  expect(Object.values(last.left).every((value) => value === 0)).toBe(true);
}, 180_000);
