import { setImmediate as nextTurn } from 'node:timers/promises';

/** So many are read or made at once: less than a message would notice. Before the next ones the event loop gets its turn. */
const atOnce = 500;

/** What of a cursor is used. */
interface Buffered<Row> {
  hasNext(): Promise<boolean>;
  readBufferedDocuments(count: number): Row[];
}

/** All rows of a cursor, with a pause after some of them. */
export async function rowsOf<Row>(cursor: Buffered<Row>): Promise<Row[]> {
  const rows: Row[] = [];
  while (await cursor.hasNext()) {
    if (rows.length > 0) await nextTurn();
    rows.push(...cursor.readBufferedDocuments(atOnce));
  }
  return rows;
}

/** Calls `each` for every item, in order, with a pause after some of them. */
export async function forEachWithPauses<Item>(items: readonly Item[], each: (item: Item) => void): Promise<void> {
  for (let start = 0; start < items.length; start += atOnce) {
    if (start > 0) await nextTurn();
    for (const item of items.slice(start, start + atOnce)) each(item);
  }
}
