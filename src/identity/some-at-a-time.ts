/** How many look-ups of single ids are under way at once, where a repository takes no batches. */
export const maxInFlight = 8;

/** Does `each` for every item, for {@link maxInFlight} of them at a time. Where one rejects, so does this, and no other is begun. */
export async function someAtATime<Item>(items: readonly Item[], each: (item: Item) => Promise<void>): Promise<void> {
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < items.length) {
      const item = items[next] as Item;
      next += 1;
      try {
        await each(item);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(maxInFlight, items.length) }, run));
}
