/** One in a {@link RecencyList}, between the one used before it and the one used after it. */
export interface Listed<Entry> {
  before: Entry | undefined;
  after: Entry | undefined;
}

/**
 * Entries in the order of their use. A `Map` would keep that order as well, of entries that are deleted and set again: at many times the
 * cost.
 */
export class RecencyList<Entry extends Listed<Entry>> {
  #first: Entry | undefined;
  #last: Entry | undefined;

  /** The least recently used one. */
  get first(): Entry | undefined {
    return this.#first;
  }

  /** Takes in `entry`, as the most recently used one. */
  add(entry: Entry): void {
    const last = this.#last;
    entry.before = last;
    entry.after = undefined;
    if (last === undefined) this.#first = entry;
    else last.after = entry;
    this.#last = entry;
  }

  /** `entry`, which is in the list, is used now. */
  use(entry: Entry): void {
    if (entry === this.#last) return;
    this.delete(entry);
    this.add(entry);
  }

  /** Takes out `entry`, which is in the list. */
  delete(entry: Entry): void {
    const { before, after } = entry;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    entry.before = undefined;
    entry.after = undefined; // one that is old garbage would keep all that came after it until the next full collection
  }
}
