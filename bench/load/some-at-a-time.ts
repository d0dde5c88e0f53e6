/** How many connections are being opened at any moment. */
const concurrency = 16;

/** Does `open` for each of `items`, for 16 of them at a time. */
export async function someAtATime<T>(items: Iterable<T>, open: (item: T) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) await open(next.value);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}
