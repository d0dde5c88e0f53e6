import { extname } from 'node:path';
import { type CallExpression, type Node, type OxcError, type ParseResult, type ParserOptions, parseSync, visitorKeys } from 'oxc-parser';
import { Scopes } from './scopes.js';

/** A place in a file, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A file that is no TypeScript or JavaScript. */
export class ParseError extends Error {
  readonly position: Position;

  constructor(message: string, position: Position) {
    super(message);
    this.position = position;
  }
}

/** The extensions of files that can be read, without the dot. */
export const extensions: readonly string[] = ['ts', 'tsx', 'mts', 'cts', 'js', 'jsx', 'mjs', 'cjs'];

/** One file: its text, its tree, and what its names mean. What is not asked for is not made. */
export class SourceFile {
  readonly path: string;
  readonly text: string;
  readonly #parsed: ParseResult;
  readonly #parents = new Map<Node, Node>();
  readonly #all: Node[] = [];
  #scopes: Scopes | undefined;

  /** @throws {ParseError} when `text` cannot be parsed. */
  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
    this.#parsed = parse(path, text);
  }

  /** All nodes, each before what is in it. */
  get nodes(): readonly Node[] {
    if (this.#all.length === 0) this.#enter(this.#parsed.program);
    return this.#all;
  }

  get scopes(): Scopes {
    this.#scopes ??= new Scopes(this.#parsed.program);
    return this.#scopes;
  }

  parentOf(node: Node): Node | undefined {
    return this.nodes.length > 0 ? this.#parents.get(node) : undefined;
  }

  textOf({ start, end }: { readonly start: number; readonly end: number }): string {
    return this.text.slice(start, end);
  }

  hasComment(start: number, end: number): boolean {
    return this.#parsed.comments.some((comment) => comment.start < end && comment.end > start);
  }

  /** Where the comma after a node stands, past white space and comments; `undefined` where none follows. */
  commaAfter({ end }: { readonly end: number }): number | undefined {
    let at = end;
    for (const comment of this.#parsed.comments) {
      if (comment.start < at) continue;
      at = this.#pastSpace(at);
      if (comment.start > at) break;
      at = comment.end;
    }
    at = this.#pastSpace(at);
    return this.text[at] === ',' ? at : undefined;
  }

  /** Where an argument of a call begins: with its own parentheses, and what a comment before them says of it, as a cast of JSDoc does. */
  startOfArgument({ callee, typeArguments, arguments: all }: CallExpression, argument: Node): number {
    const before = all.find((_, index) => all[index + 1] === argument);
    const end = (before ?? typeArguments ?? callee).end;
    let gap = this.text.slice(end, argument.start);
    for (const { start: from, end: to } of this.#parsed.comments)
      if (from >= end && to <= argument.start) gap = gap.slice(0, from - end) + ' '.repeat(to - from) + gap.slice(to - end);
    const opening = gap.indexOf(before === undefined ? '(' : ',');
    return gap.includes('(', opening + 1) ? this.#pastSpace(end + opening + 1) : argument.start;
  }

  #pastSpace(offset: number): number {
    return offset + (/^\s*/.exec(this.text.slice(offset))?.[0].length ?? 0);
  }

  positionOf({ start }: { readonly start: number }): Position {
    return positionIn(this.text, start);
  }

  /** Without recursion: generated code may be nested deeper than a stack. */
  #enter(root: Node): void {
    const waiting: Node[] = [root];
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      this.#all.push(node);
      const children = childrenOf(node);
      for (const child of children) this.#parents.set(child, node);
      waiting.push(...children.toReversed());
    }
  }
}

/** What stands directly in a node, in the order of the source. */
export function childrenOf(node: Node): Node[] {
  const members: Readonly<Record<string, unknown>> = { ...node };
  return (visitorKeys[node.type] ?? []).flatMap((key) => [members[key]].flat().filter(isNode));
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value;
}

function positionIn(text: string, offset: number): Position {
  const before = text.slice(text.startsWith('\ufeff') ? 1 : 0, offset).split(/\r\n|[\n\r\u2028\u2029]/);
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** How files of an extension may be written, the likeliest first. */
function dialectsOf(path: string): readonly ParserOptions[] {
  const extension = extname(path).slice(1).toLowerCase();
  if (extension === 'tsx') return [{ lang: 'tsx', sourceType: 'module' }];
  if (extension.endsWith('ts')) return [{ lang: 'ts', sourceType: 'module' }];
  return [
    { lang: 'jsx', sourceType: 'module' },
    { lang: 'jsx', sourceType: 'commonjs' },
  ];
}

function parse(path: string, text: string): ParseResult {
  let failed: OxcError | undefined;
  for (const dialect of dialectsOf(path)) {
    const parsed = parseSync(path, text, { ...dialect, astType: 'ts', range: true, preserveParens: false });
    const error = parsed.errors.find(({ severity }) => severity === 'Error');
    if (error === undefined) return parsed;
    failed ??= error;
  }
  throw new ParseError(`cannot be parsed: ${failed?.message}`, positionIn(text, failed?.labels[0]?.start ?? 0));
}
