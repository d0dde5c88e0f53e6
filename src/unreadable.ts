/**
 * Stands for one of several that were asked for together, where nobody can tell of it: whoever reads `member` is thrown `error`. So the
 * others are none the worse for it, which they would be if the whole answer were a rejection.
 */
export function unreadable<Found extends object>(others: Partial<Found>, member: keyof Found & string, error: unknown): Found {
  const get = (): never => {
    throw error;
  };
  return Object.defineProperty({ ...others }, member, { get, enumerable: true }) as Found;
}

/**
 * What was found of those that were `asked` for, and of the `failures` what `make` puts in their place.
 *
 * @throws {unknown} the first of the failures, where nobody can tell of any.
 */
export function withUnreadable<Id, Found>(
  asked: readonly Id[],
  { found, failures }: { readonly found: Map<Id, Found>; readonly failures: ReadonlyMap<Id, unknown> },
  make: (id: Id, error: unknown) => Found,
): ReadonlyMap<Id, Found> {
  const isOfAll = failures.size === new Set(asked).size;
  for (const [id, error] of failures) {
    if (isOfAll) throw error;
    found.set(id, make(id, error));
  }
  return found;
}
