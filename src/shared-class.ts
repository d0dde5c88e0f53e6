/** Under this key, the same in every loaded copy of the package, a prototype says whose it is. */
const sharedAs = Symbol.for('ws-with.class');

const isOrdinaryInstance = Function.prototype[Symbol.hasInstance];

function isInstance(this: { readonly prototype: object }, value: unknown): boolean {
  // an application's own class, which extends one
  if (!Object.hasOwn(this.prototype, sharedAs)) return isOrdinaryInstance.call(this, value);
  const name: unknown = Reflect.get(this.prototype, sharedAs);
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  for (let holder: unknown = Object.getPrototypeOf(value); holder !== null; holder = Object.getPrototypeOf(holder)) {
    if (Object.hasOwn(holder as object, sharedAs) && Reflect.get(holder as object, sharedAs) === name) return true;
  }
  return false;
}

/**
 * Takes what another loaded copy of the package has made with its class `name` for instances of `made`, too: what is thrown goes through
 * code of anybody's, and a store that was built on one copy says to a server of another that there is a conflict.
 */
export function shareAcrossCopies(made: { readonly prototype: object }, name: string): void {
  Object.defineProperty(made.prototype, sharedAs, { value: name });
  Object.defineProperty(made, Symbol.hasInstance, { value: isInstance });
}
