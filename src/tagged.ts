/**
 * Gives the objects of a class a tag. Test runners copy objects without one before they show them where an assertion fails, and the getters
 * of the copy throw, since it lacks the private members: the failure would be of that, wherever it was.
 */
export function tagged<Shown extends object>(tag: string, prototype: Shown): Shown {
  return Object.defineProperty(prototype, Symbol.toStringTag, { value: tag, configurable: true });
}
