import type { Target } from './decision.js';
import { Edits } from './edits.js';
import type { Finding } from './finding.js';
import { ImportEdits } from './import-edits.js';
import { decide } from './mention-decision.js';
import { SourceFile } from './source-file.js';
import { wsWithNamesOf } from './ws-with-names.js';

/** A file as it becomes. */
export interface Migrated {
  readonly text: string;
  readonly findings: readonly Finding[];
}

/**
 * Rewrites a file from sessions to `target`. What cannot be decided stays as it is, and is among the findings.
 *
 * @throws {Error} when the result would not parse, which code in an unforeseen form could bring about.
 */
export function migrateSource(source: SourceFile, target: Target): Migrated {
  if (!source.text.includes('ws-with')) return { text: source.text, findings: [] };
  const names = wsWithNamesOf(source);
  const context = { source, mentionAt: new Map(names.mentions.map((mention) => [mention.node, mention])) };
  const decisions = names.mentions.flatMap((mention) => decide(context, mention, target) ?? []);
  const edits = new Edits(source);
  const imports = new ImportEdits(source, names, decisions);
  for (const decision of decisions) decision.write(edits, imports.nameFor(decision.mention));
  imports.write(edits);
  const text = edits.toString();
  if (text !== source.text) checkParses(source.path, text);
  return { text, findings: inOrder([...names.findings, ...decisions.flatMap((decision) => decision.findings)]) };
}

function checkParses(path: string, text: string): void {
  try {
    void new SourceFile(path, text);
  } catch (error) {
    throw new Error('is left as it was: what it would become does not parse', { cause: error });
  }
}

/** Findings in the order of the file, each once. */
function inOrder(findings: readonly Finding[]): Finding[] {
  const byPlace = new Map(findings.map((finding) => [`${finding.line}:${finding.column} ${finding.code}`, finding]));
  return [...byPlace.values()].toSorted((a, b) => a.line - b.line || a.column - b.column);
}
