import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Question, Report } from './servers/serve.js';

/** Whether processes can be tied to CPUs here: one for the server under test, another for the load. */
export const canPin: boolean = availableParallelism() >= 2 && hasTaskset();

function hasTaskset(): boolean {
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Ties this process, which makes the load, to CPU 1. */
export function pinLoad(): void {
  if (canPin) execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', '1', String(process.pid)], { stdio: 'ignore' });
}

/** A server in a process of its own, tied to CPU 0. */
export class ServerProcess implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** Starts `servers/<name>` with `args`; resolves when it listens. */
  static async start(name: string, ...args: readonly string[]): Promise<ServerProcess> {
    const script = fileURLToPath(new URL(`./servers/${name}.js`, import.meta.url));
    const command = [process.execPath, script, ...args];
    if (canPin) command.unshift('taskset', '--cpu-list', '0');
    const child = spawn(command[0] as string, command.slice(1), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const report = await nextReport(child);
    if (!('port' in report)) throw new Error('A server answered before it was asked.');
    return new ServerProcess(child, report.port);
  }

  /** Microseconds of CPU that it has used since it was started. */
  cpu(): Promise<number> {
    return this.#ask('cpu');
  }

  /** Its resident bytes after collecting garbage. */
  rss(): Promise<number> {
    return this.#ask('rss');
  }

  /** For how many milliseconds its event loop has stood still at most since it was asked last; the first answer is 0. */
  stall(): Promise<number> {
    return this.#ask('stall');
  }

  /** Resolves once it has no connections and nothing to do in the background. */
  async settle(): Promise<void> {
    await this.#ask('settle');
  }

  async #ask(question: Question): Promise<number> {
    const answered = nextReport(this.#child);
    this.#child.send(question);
    const report = await answered;
    if (!('answer' in report)) throw new Error('A server did not answer what it was asked.');
    return report.answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#child.connected) return; // it is gone already
    const gone = once(this.#child, 'exit');
    this.#child.disconnect();
    await gone;
  }
}

function nextReport(child: ChildProcess): Promise<Report> {
  return new Promise((resolve, reject) => {
    const release = (): void => {
      child.off('message', onMessage);
      child.off('exit', onExit);
      child.off('error', onError);
    };
    const onMessage = (report: unknown): void => {
      release();
      resolve(report as Report);
    };
    const onError = (error: Error): void => {
      release();
      reject(error);
    };
    const onExit = (code: number | null): void => onError(new Error(`A server ended (exit code ${code}).`));
    child.on('message', onMessage);
    child.on('exit', onExit);
    child.on('error', onError);
  });
}
