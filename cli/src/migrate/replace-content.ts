import { randomBytes } from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Puts `text` in place of a file's content at once: whoever reads it sees all of the old or all of the new. Its mode stays. */
export async function replaceContent(path: string, text: string): Promise<void> {
  const { mode } = await stat(path);
  const written = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  try {
    await writeNew(written, text, mode & 0o7777);
    await rename(written, path);
  } catch (error) {
    await rm(written, { force: true });
    throw error;
  }
}

async function writeNew(path: string, text: string, mode: number): Promise<void> {
  await using file = await open(path, 'wx', mode & 0o777);
  await file.writeFile(text);
  await file.chmod(mode); // what open was given was cut by the umask
  await file.sync();
}
