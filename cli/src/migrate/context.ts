import type { Node } from 'oxc-parser';
import type { SourceFile } from './source-file.js';
import { innermost } from './syntax.js';
import type { Mention } from './ws-with-names.js';

/** A file, and which of its nodes are names of the package. */
export interface Context {
  readonly source: SourceFile;
  readonly mentionAt: ReadonlyMap<Node, Mention>;
}

/** The name of the package that an expression is. */
export function exportedAt({ mentionAt }: Context, node: Node): string | undefined {
  return mentionAt.get(innermost(node))?.exported;
}
