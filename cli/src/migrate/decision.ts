import type { Node } from 'oxc-parser';
import type { Context } from './context.js';
import type { Edits } from './edits.js';
import { type Finding, findingAt } from './finding.js';
import type { Mention } from './ws-with-names.js';

/** What sessions are replaced by. */
export type Target = 'token' | 'dual';

/** What a name of the package is called at the place of a mention. */
export type NameOf = (exported: string) => string;

/** What becomes of one mention. */
export interface Decision {
  readonly mention: Mention;
  /** The names of the package that its rewriting needs. */
  readonly needs: readonly string[];
  /** Whether the name is still mentioned there. */
  readonly stays: boolean;
  /** Mentions of other names that go with it. */
  readonly absorbs?: readonly Node[];
  readonly findings: readonly Finding[];
  write(edits: Edits, nameOf: NameOf): void;
}

/** It stays, and a person is told why. */
export function undecided(context: Context, mention: Mention, code: Finding['code'], message: string): Decision {
  return kept(context, mention, { code, kind: 'undecided', message });
}

/** It stays, and a person is told something of it. */
export function kept({ source }: Context, mention: Mention, about: Pick<Finding, 'code' | 'kind' | 'message'>): Decision {
  return { mention, needs: [], stays: true, findings: [findingAt(source, mention.node, about)], write() {} };
}

/** It gets another name, and nothing else changes. */
export function renamed(context: Context, mention: Mention, to: string, findings: readonly Finding[] = []): Decision {
  return { mention, needs: [to], stays: false, findings, write: (edits, nameOf) => writeName(edits, context, mention, nameOf(to)) };
}

/** Puts `name` where the mention's name stands; a name in quotes stays in quotes. */
export function writeName(edits: Edits, { source }: Context, { node, nameNode, prefix }: Mention, name: string): void {
  if (prefix === '') {
    const parent = source.parentOf(node);
    const text = source.textOf(nameNode);
    const isExported = parent?.type === 'ExportSpecifier' && parent.exported.start === nameNode.start && name !== text;
    edits.replace(nameNode, isExported ? `${name} as ${text}` : name);
    return;
  }
  const bare = name.slice(prefix.length);
  const text = source.textOf(nameNode);
  edits.replace(nameNode, /^['"`]/.test(text) ? `${text[0]}${bare}${text.at(-1)}` : bare);
}
