/** One test of a contract. It needs no test runner: `for (const { name, run } of tests) it(name, run);` is all. */
export interface ContractTest {
  /** What an implementation must do. */
  readonly name: string;
  /** Resolves if the implementation does it, else rejects with an `AssertionError` or with what the implementation threw. */
  run(): Promise<void>;
}

/** How a suite gets at the implementation that it tests. */
export interface ContractOptions<Fixture> {
  /**
   * Called once for each test. The fixture may contain data that other tests left: the suites use new random ids, and clear away the few
   * fixed ones (names that every object has).
   */
  create(): Fixture | Promise<Fixture>;
  /** Called with the same fixture when its test is over, however it ended. @default nothing is done */
  dispose?(fixture: Fixture): void | Promise<void>;
}

/** The tests of a suite as it writes them, by their names. */
export type ContractCases<Fixture> = Readonly<Record<string, (fixture: Fixture) => Promise<void>>>;

/** The tests of these cases, each with a fixture of its own. */
export function contractTests<Fixture>(
  options: ContractOptions<Fixture>,
  ...cases: readonly ContractCases<Fixture>[]
): readonly ContractTest[] {
  return cases
    .flatMap((some) => Object.entries(some))
    .map(([name, check]) => ({
      name,
      async run() {
        const fixture = await options.create();
        try {
          await check(fixture);
        } finally {
          await options.dispose?.(fixture);
        }
      },
    }));
}
