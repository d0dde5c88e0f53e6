import type { ContractTest } from '../../entries/testing.js';

/** The names of the tests that fail. */
export async function failingTests(tests: readonly ContractTest[]): Promise<string[]> {
  const failing: string[] = [];
  for (const { name, run } of tests) {
    try {
      await run();
    } catch {
      failing.push(name);
    }
  }
  return failing;
}
