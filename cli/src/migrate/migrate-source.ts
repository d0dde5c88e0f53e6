import type { Target } from './decision.js';
import { Edits } from './edits.js';
import type { Finding } from './finding.js';
import { ImportEdits } from './import-edits.js';
import { decide } from './mention-decision.js';
import type { SourceFile } from './source-file.js';
import { wsWithNamesOf } from './ws-with-names.js';

/** A file as it becomes. */
export interface Migrated {
  readonly text: string;
  readonly findings: readonly Finding[];
}

/** Rewrites a file from sessions to `target`. What cannot be decided stays as it is, and is among the findings. */
export function migrateSource(source: SourceFile, target: Target): Migrated {
  const names = wsWithNamesOf(source);
  const context = { source, mentionAt: new Map(names.mentions.map((mention) => [mention.node, mention])) };
  const decisions = names.mentions.flatMap((mention) => decide(context, mention, target) ?? []);
  const edits = new Edits(source);
  const imports = new ImportEdits(source, names, decisions);
  for (const decision of decisions) decision.write(edits, imports.nameFor(decision.mention));
  imports.write(edits);
  return { text: edits.toString(), findings: inOrder([...names.findings, ...decisions.flatMap((decision) => decision.findings)]) };
}

/** Findings in the order of the file, each once. */
function inOrder(findings: readonly Finding[]): Finding[] {
  const byPlace = new Map(findings.map((finding) => [`${finding.line}:${finding.column} ${finding.code}`, finding]));
  return [...byPlace.values()].toSorted((a, b) => a.line - b.line || a.column - b.column);
}
