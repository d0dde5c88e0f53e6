import { lstat, realpath } from 'node:fs/promises';
import { extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import { UsageError } from '../usage-error.js';
import { extensions } from './source-file.js';

/** A file to migrate. */
export interface SourcePath {
  /** As it is shown: relative to the working directory where it lies below it. */
  readonly shown: string;
  /** Where it is, through all links. */
  readonly real: string;
}

const ignored = ['**/node_modules/**', '**/dist/**', '**/*.d.{ts,mts,cts}'];

/**
 * The files that paths name: files, folders with all that is below, globs. Below folders, `node_modules`, `dist`, declarations, what begins
 * with a dot and links are left out; a path that leads out of the working directory through a link is refused.
 *
 * @throws {UsageError} when a path names nothing that can be read.
 */
export async function sourcePathsOf(given: readonly string[], folder: string): Promise<SourcePath[]> {
  const found = new Map<string, SourcePath>();
  for (const path of given) {
    for (const file of await filesOf(path, folder)) {
      const real = await realpath(file);
      const shown = isBelow(folder, file) ? relative(folder, file) : file;
      if (!found.has(real)) found.set(real, { shown, real });
    }
  }
  return [...found.values()].toSorted((a, b) => (a.shown < b.shown ? -1 : 1));
}

async function filesOf(path: string, folder: string): Promise<string[]> {
  const absolute = resolve(folder, path);
  const kind = await kindOf(absolute);
  if (kind !== undefined && (await leadsOut(absolute, folder)))
    throw new UsageError(`${path} leads out of the working directory through a link.`);
  if (kind === 'folder') return filesBelow('**/*', absolute);
  if (kind === 'file') {
    if (!isSource(path)) throw new UsageError(`${path} is no file that migrate reads: ${extensions.join(', ')}.`);
    return [absolute];
  }
  const files = isDynamicPattern(path) ? await filesBelow(path.replaceAll('\\', '/'), folder) : [];
  if (files.length === 0) throw new UsageError(`There is no file ${path}.`);
  return files;
}

async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  try {
    const stats = await lstat(await realpath(path));
    return stats.isDirectory() ? 'folder' : 'file';
  } catch {
    return undefined;
  }
}

async function filesBelow(pattern: string, folder: string): Promise<string[]> {
  const paths = await glob(pattern, { cwd: folder, absolute: true, ignore: ignored, followSymbolicLinks: false, expandDirectories: false });
  const files: string[] = [];
  for (const path of paths.filter(isSource)) {
    const isLink = (await lstat(path)).isSymbolicLink();
    if (!isLink && !(await leadsOut(path, folder))) files.push(path);
  }
  return files;
}

function isSource(path: string): boolean {
  return extensions.includes(extname(path).slice(1).toLowerCase());
}

/** Whether a path below the folder is, through a link, one that is not. */
async function leadsOut(path: string, folder: string): Promise<boolean> {
  return isBelow(folder, path) && !isBelow(await realpath(folder), await realpath(path));
}

function isBelow(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(join('..', sep)) && !isAbsolute(way);
}
