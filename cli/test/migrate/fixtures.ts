import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Migrated, migrateSource } from '../../src/migrate/migrate-source.js';
import { SourceFile } from '../../src/migrate/source-file.js';

/** Files to migrate (`input`), what they become (`token`, `dual`), and what is said of them (`findings.json`). */
export const fixtures = fileURLToPath(new URL('fixtures', import.meta.url));

export const targets = ['token', 'dual'] as const;

/** The names of all fixtures. */
export const names: readonly string[] = readdirSync(join(fixtures, 'input'));

/** The text of a file with its byte order mark. */
export function textOf(path: string): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
}

/** A text as a file of that name becomes. */
export function migrated(name: string, text: string, target: (typeof targets)[number]): Migrated {
  return migrateSource(new SourceFile(name, text), target);
}

/** Findings as they are compared: the place and what it is about. */
export function placesOf({ findings }: Migrated): string[] {
  return findings.map(({ line, column, kind, code }) => `${line}:${column} ${kind} ${code}`);
}
