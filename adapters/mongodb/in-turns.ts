import { setImmediate as nextTurn } from 'node:timers/promises';

/** So many are read or made at once: less than a message would notice. */
const atOnce = 500;

/** What of a cursor is used. */
interface Buffered<Row> {
  hasNext(): Promise<boolean>;
  readBufferedDocuments(count: number): Row[];
}

/** All rows of a cursor. Of many at a time, the event loop gets its turn in between. */
export async function rowsOf<Row>(cursor: Buffered<Row>): Promise<Row[]> {
  const rows: Row[] = [];
  while (await cursor.hasNext()) {
    if (rows.length > 0) await nextTurn();
    rows.push(...cursor.readBufferedDocuments(atOnce));
  }
  return rows;
}

/** Calls `each` for every item, in order; of many, the event loop gets its turn in between. */
export async function inTurns<Item>(items: readonly Item[], each: (item: Item) => void): Promise<void> {
  for (let start = 0; start < items.length; start += atOnce) {
    if (start > 0) await nextTurn();
    for (const item of items.slice(start, start + atOnce)) each(item);
  }
}
