import type { ChildProcess } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

/**
 * `SIGSTOP`; resolves once nothing of the process runs. The signal only asks for that: on a busy machine a thread may still answer until
 * its turn comes. Where the system does not tell the states of threads, it resolves at once.
 */
export async function pause(child: ChildProcess): Promise<void> {
  child.kill('SIGSTOP');
  if (process.platform !== 'linux') return;
  for (let tries = 0; tries < 10_000; tries += 1) {
    if (await isStopped(`/proc/${child.pid}/task`)) return;
    await wait(1);
  }
  throw new Error(`The process ${child.pid} does not stop.`);
}

async function isStopped(threads: string): Promise<boolean> {
  const states = (await readdir(threads)).map(async (thread) =>
    stateOf(await readFile(`${threads}/${thread}/stat`, 'utf8').catch(() => '')),
  );
  return (await Promise.all(states)).every((state) => state === 'T');
}

/** What stands behind the name, which may hold anything; nothing of a thread that is gone. */
function stateOf(stat: string): string | undefined {
  return /.*\) (\S)/s.exec(stat)?.[1];
}
