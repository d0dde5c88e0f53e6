import { describe, expect, it } from 'vitest';
import type { ContractTest } from '../../entries/testing.js';
import { failingTests } from './failing-tests.js';

/** Each broken implementation, and exactly the tests that it must fail. */
export function bites<Implementation>(
  contract: string,
  implementations: Readonly<Record<string, Implementation>>,
  testsOf: (implementation: Implementation) => readonly ContractTest[],
  expected: Readonly<Record<string, readonly string[]>>,
): void {
  describe(`the suite of ${contract}`, () => {
    it.each(Object.entries(implementations))('catches %s', async (name, implementation) => {
      expect(await failingTests(testsOf(implementation))).toEqual(expected[name]);
    });
  });
}
