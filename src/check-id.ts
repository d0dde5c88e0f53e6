import { aName } from './checked-options.js';
import { kindOf, kindOfSecret } from './kind-of.js';

/**
 * Refuses anything but an id: a string that is not empty. An object in a query would mean what its sender likes, so adapters call this
 * before they ask their database.
 *
 * @param owner what was called, e.g. `'MySessionStore.load'`.
 * @param name the argument's name.
 * @throws {TypeError} naming both and what was got, without showing it.
 */
export function checkId(owner: string, name: string, id: unknown): asserts id is string {
  if (!aName.accepts(id)) throw new TypeError(`${owner}: ${name} must be ${aName.must}, got ${kindOfSecret(id)}`);
}

/**
 * A checked copy of a list of ids: what was checked cannot be changed any more.
 *
 * @throws {TypeError} when it is no array, or one of its elements is no id.
 */
export function checkedIds(owner: string, ids: readonly string[]): readonly string[] {
  return checkedList(owner, ids, (id, name) => checkId(owner, name, id));
}

/**
 * A copy of a list, each element of which (a hole too) has passed `check`.
 *
 * @throws {TypeError} when it is no array, or what `check` throws.
 */
export function checkedList<Element>(
  owner: string,
  list: readonly Element[],
  check: (element: Element, name: string) => void,
): readonly Element[] {
  if (!Array.isArray(list)) throw new TypeError(`${owner}: ids must be an array, got ${kindOf(list)}`);
  return Array.from({ length: list.length }, (_, index) => {
    const element = list[index] as Element;
    check(element, `ids[${index}]`);
    return element;
  });
}
