import { foundOrMade } from './found-or-made.js';

/** `items` by what `keyOf` says of each, in the order in which they come; those of which it says nothing are left out. */
export function groupedBy<Item, Key>(items: Iterable<Item>, keyOf: (item: Item) => Key | undefined): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key !== undefined) foundOrMade(groups, key, () => []).push(item);
  }
  return groups;
}
