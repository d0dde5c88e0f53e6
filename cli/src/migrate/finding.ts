import type { Node } from 'oxc-parser';
import type { Position, SourceFile } from './source-file.js';

/** What a finding is about. */
export type FindingCode =
  | 'argument-unknown'
  | 'dropped-options'
  | 'export'
  | 'export-all'
  | 'handed-on'
  | 'handler-not-seen'
  | 'http-session-kept'
  | 'http-user'
  | 'namespace'
  | 'options-unknown'
  | 're-export'
  | 'reads-http-session'
  | 'revalidate'
  | 'session-parser'
  | 'source'
  | 'type';

/** Something that a person must look at. */
export interface Finding extends Position {
  readonly file: string;
  readonly code: FindingCode;
  /** `undecided`: it was left as it was. `look`: it was rewritten, or stays, and something hangs on it. */
  readonly kind: 'undecided' | 'look';
  readonly message: string;
  /** The lines to write, where a person must. */
  readonly write?: readonly string[];
}

export function findingAt(
  source: SourceFile,
  node: Pick<Node, 'start'>,
  about: Pick<Finding, 'code' | 'kind' | 'message' | 'write'>,
): Finding {
  return { file: source.path, ...source.positionOf(node), ...about };
}
