import { readFile } from 'node:fs/promises';
import type { Target } from './decision.js';
import type { Finding } from './finding.js';
import { type Migrated, migrateSource } from './migrate-source.js';
import { replaceContent } from './replace-content.js';
import { ParseError, SourceFile } from './source-file.js';
import type { SourcePath } from './source-paths.js';
import { type Written, wsSessionsOf } from './ws-session.js';

/** What a migration begins and ends with. */
export type Migration = { readonly from: 'session'; readonly to: Target } | { readonly from: 'ws-session'; readonly to: Written };

/** A file that was not read or written. */
export interface Failure {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
}

/** What became of one file. */
export type FileResult =
  | { readonly file: string; readonly before: string; readonly after: string; readonly findings: readonly Finding[] }
  | { readonly failure: Failure };

/** Migrates one file; where it is to be written, it is. */
export async function migrateFile({ shown, real }: SourcePath, migration: Migration, write: boolean): Promise<FileResult> {
  try {
    const before = decoded(await readFile(real));
    const { text: after, findings } = migrated(new SourceFile(shown, before), migration);
    if (write && after !== before) await replaceContent(real, after);
    return { file: shown, before, after, findings };
  } catch (error) {
    const position = error instanceof ParseError ? error.position : {};
    return { failure: { file: shown, ...position, message: error instanceof Error ? error.message : String(error) } };
  }
}

function migrated(source: SourceFile, { from, to }: Migration): Migrated {
  return from === 'session' ? migrateSource(source, to) : { text: source.text, findings: wsSessionsOf(source, to) };
}

/** The text of a file, its byte order mark included: what cannot be written back as it was is not read. */
function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Error('is not UTF-8');
  }
}
