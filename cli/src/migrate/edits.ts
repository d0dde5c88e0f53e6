import MagicString from 'magic-string';
import type { Node } from 'oxc-parser';
import type { SourceFile } from './source-file.js';

type Range = Pick<Node, 'start' | 'end'>;

/** Changes to a file's text; what no change names stays as it is, byte for byte. */
export class Edits {
  readonly #source: SourceFile;
  readonly #text: MagicString;

  constructor(source: SourceFile) {
    this.#source = source;
    this.#text = new MagicString(source.text);
  }

  replace({ start, end }: Range, text: string): void {
    if (this.#source.text.slice(start, end) !== text) this.#text.update(start, end, text);
  }

  insert(offset: number, text: string): void {
    this.#text.appendLeft(offset, text);
  }

  /** Puts text around what other changes make of a range. */
  insertAround({ start, end }: Range, before: string, after: string): void {
    this.#text.prependRight(start, before);
    this.#text.appendLeft(end, after);
  }

  remove(start: number, end: number): void {
    if (start < end) this.#text.remove(start, end);
  }

  /**
   * Removes items of a list that commas part, with their commas, and with their lines where nothing else stands there. Comments stay.
   */
  removeItems(all: readonly Range[], removed: ReadonlySet<Range>): void {
    for (const { item, kept } of this.#runsOf(all, removed)) {
      const comma = this.#source.commaAfter(item);
      if (comma === undefined && kept !== undefined) this.#removeLast(kept, item);
      else if (comma === undefined || this.#source.hasComment(item.end, comma)) {
        this.#removeItem(item, item.end);
        this.#removeComma(comma);
      } else this.#removeItem(item, comma + 1);
    }
  }

  /** Removed items that stand side by side as one range, each with the kept item before it. */
  #runsOf(all: readonly Range[], removed: ReadonlySet<Range>): { readonly item: Range; readonly kept: Range | undefined }[] {
    const runs: { item: Range; kept: Range | undefined }[] = [];
    let kept: Range | undefined;
    for (const [index, item] of all.entries()) {
      const [before, last] = [all[index - 1], runs.at(-1)];
      if (!removed.has(item)) kept = item;
      else if (before !== undefined && last?.item.end === before.end && !this.#source.hasComment(before.end, item.start)) {
        last.item = { start: last.item.start, end: item.end };
      } else runs.push({ item, kept });
    }
    return runs;
  }

  #removeItem({ start }: Range, end: number): void {
    const { text } = this.#source;
    const before = /[ \t]*$/.exec(text.slice(0, start))?.[0].length ?? 0;
    const after = /^[ \t]*/.exec(text.slice(end))?.[0].length ?? 0;
    const lineEnd = /^(\r\n|\n|\r)/.exec(text.slice(end + after))?.[0].length ?? 0;
    const startsLine = /(^|[\n\r])$/.test(text.slice(0, start - before));
    if (startsLine && lineEnd > 0) this.remove(start - before, end + after + lineEnd);
    else if (!startsLine && (lineEnd > 0 || /^[})\]]/.test(text.slice(end + after)))) this.remove(start - before, end);
    else this.remove(start, end + after);
  }

  /** The last item, without a comma of its own: the one before it goes. */
  #removeLast(kept: Range, item: Range): void {
    if (!this.#source.hasComment(kept.end, item.start)) {
      this.remove(kept.end, item.end);
      return;
    }
    this.#removeItem(item, item.end);
    this.#removeComma(this.#source.commaAfter(kept));
  }

  #removeComma(offset: number | undefined): void {
    if (offset !== undefined) this.remove(offset, offset + 1);
  }

  toString(): string {
    return this.#text.toString();
  }
}
