/** Under this key, the same in every copy, what this package makes says which loaded copy of it made it. */
const madeBy = Symbol.for('ws-with.copy');

/** A loaded copy of this package. */
interface PackageCopy {
  /** The address of one of its files. */
  readonly url: string;
}

const thisCopy: PackageCopy = Object.freeze({ url: addressOfThisFile() });

/** As a stack tells it: with `import.meta` nobody could compile the package to CommonJS, as test runners do. */
function addressOfThisFile(): string {
  return /(?:file:|\/|[A-Za-z]:\\).*(?=:\d+:\d+\)?$)/m.exec(new Error().stack ?? '')?.[0] ?? 'one at an unknown place';
}

/** `target` itself, now saying that this copy of the package made it. */
export function markCopy<Target extends object>(target: Target): Target {
  return Object.defineProperty(target, madeBy, { value: thisCopy });
}

/**
 * Copies of the package know nothing of each other's wrappers, messages and servers: what comes from another one is refused, rather than
 * taken for a handler that no wrapper guards. Errors are known (`shareAcrossCopies`).
 *
 * @param what names `value` in the error.
 * @throws {TypeError} when another copy of this package made `value`.
 */
export function checkCopy(what: string, value: unknown): void {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return;
  const copy = (value as { readonly [madeBy]?: PackageCopy })[madeBy];
  if (copy === undefined || copy === thisCopy) return;
  throw new TypeError(
    `${what} comes from another copy of ws-with: two copies are loaded in this process, ${copy.url} and ${thisCopy.url}, and they share nothing. ` +
      'Install one version for everything (npm ls ws-with lists them, npm dedupe may join them), and let bundlers leave the package outside.',
  );
}
