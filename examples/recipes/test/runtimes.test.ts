import assert from 'node:assert/strict';
import { test } from 'node:test';
import { installed, run } from './support/run.js';

const architecture = process.arch === 'arm64' ? 'aarch64' : process.arch;
const system = process.platform === 'win32' ? 'windows' : process.platform;
const bun = installed(`@oven/bun-${system}-${architecture}/bin/bun`, `@oven/bun-${system}-${architecture}/bin/bun.exe`);
const ofDeno = `@deno/${process.platform}-${process.arch}`;
const deno = installed(`${ofDeno}-glibc/deno`, `${ofDeno}/deno`, `${ofDeno}/deno.exe`);
const permissions = ['--no-prompt', '--no-remote', '--allow-net=127.0.0.1', '--allow-env'];

for (const [program, args] of [
  [process.execPath, ['dist/runtimes/chat.js']],
  [bun, ['run', 'dist/runtimes/chat.js']],
  [bun, ['run', 'runtimes/chat.ts']],
  [deno, ['run', ...permissions, 'dist/runtimes/chat.js']],
  [deno, ['run', ...permissions, 'runtimes/chat.ts']],
] as const) {
  test(`the chat works: ${program.split('/').at(-1)} ${args.at(-1)}`, async () => {
    assert.match(await run(program, args), /^The chat works\.$/m);
  });
}
