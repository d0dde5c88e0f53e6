/** A `Map` or a `WeakMap`. */
interface Keeper<Key, Value> {
  get(key: Key): Value | undefined;
  set(key: Key, value: Value): unknown;
}

/** What `keeper` has under `key`; where that is nothing, what `make` makes, which it has from now on. */
export function foundOrMade<Key, Value>(keeper: Keeper<Key, Value>, key: Key, make: () => Value): Value {
  const found = keeper.get(key);
  if (found !== undefined) return found;
  const made = make();
  keeper.set(key, made);
  return made;
}
